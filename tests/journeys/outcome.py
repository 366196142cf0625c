"""What scenario 1 has to leave behind, however often anything was killed on the way: everything once."""

import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

from kit.clock import SHANGHAI
from payments.bill_rules import due_days
from sandbox.demo import booking, cast, filing, office, paying, posting, verifying, writing
from sandbox.demo.needles import of_address, of_people
from sandbox.demo.scene import Scene
from sandbox.demo.sweep import sweep
from sandbox.demo.wallets import WALLETS
from sandbox.phones.handset import Handset
from tests.journeys.city import City
from tests.journeys.patience import PatientCaller

ACTS = (
    filing.log_in,
    booking.book,
    filing.draw_up,
    filing.confirm_and_submit,
    office.arrive,
    office.accept_and_review,
    writing.write,
    paying.pay_fee,
    office.clear_tax_and_enter,
    office.receive_certificate,
    verifying.verify,
    posting.post,
)
UNTIL_THE_FEE = ACTS[: ACTS.index(paying.pay_fee)]
# Who is told: all three parties, or the buyer alone; the buyer books twice, the officer writes to each twice.
TOLD = {
    "appointment_booked": 2,
    "appointment_cancelled": 1,
    "confirmation_requested": 3,
    "application_submitted": 3,
    "case_accepted": 3,
    "fee_due": 1,
    "progress_notice": 6,
    "payment_settled": 3,
    "case_entered": 3,
    "certificate_ready": 1,
    "delivery_dispatched": 1,
    "delivery_signed": 1,
}
# Told only while it is so: a parcel may be signed for before the worker comes to its being at the door.
PASSING = "delivery_delivering"
# One agreement lets one message through: the second appointment is told by text message.
TEXTED = {"appointment_booked": 1}
# Partners are asked again after half a minute, text messages after a minute.
_STEP_SECONDS = 61.0
# The last question about a parcel is due half a day after the last that was heard of it.
_HALF_A_DAY = 12 * 3600 + 60.0
_FAR_OFF = "delivery.poll"
_BILLS_ARE_THERE = time_of_day(10, 31)
_PATIENCE_SECONDS = 120.0


def play(scene: Scene) -> None:
    """The whole of scenario 1."""
    let_all_be_asked(scene)
    for act in ACTS:
        act(scene)


def let_all_be_asked(scene: Scene) -> None:
    """Nobody confirms before the message that asks for it has come: who was faster than the worker gets none."""
    seller = scene.seller.calls
    if isinstance(seller, PatientCaller):
        seller.then = lambda _, path: _await_asked(scene) if path.endswith("/confirmation-request") else None


def _await_asked(scene: Scene) -> None:
    def all_asked() -> bool | None:
        return all(phone.messages("confirmation_requested") for phone in scene.phones.values()) or None

    scene.journey.wait_for("the requests to confirm", all_asked)


def come_to_rest(city: City) -> None:
    """Let what is delayed come due, step by step, until at most a parcel's far question is left."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    become_quiet(city)
    while left := _left(city, "handler <> ?", _FAR_OFF):
        assert time.monotonic() < deadline, f"not done: {left}"
        city.move_clock(_STEP_SECONDS)
        become_quiet(city)


def become_quiet(city: City) -> None:
    """Wait until nothing is left to do now; what is asked about again and again, later, does not count."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while left := [row for row in _left(city) if _is_due(city, row)]:
        assert time.monotonic() < deadline, f"not done: {left}"
        time.sleep(0.05)


def half_a_day_passes(city: City) -> None:
    """Everything comes due that was put off; a parcel's last question is put off once more before it is asked."""
    for _ in range(2):
        city.move_clock(_HALF_A_DAY)
        come_to_rest(city)
        if not _left(city):
            return
    raise AssertionError(f"still put off: {_left(city)}")


def bill_matches(city: City, *, wallet: str, paid_fen: int, refunded_fen: int = 0) -> None:
    """The morning after the payment its wallet's bill is fetched, and says what our books say; later days too."""
    paid = _moment(city.rows("SELECT paid_at FROM payments_settlement")[0]["paid_at"]).astimezone(SHANGHAI).date()
    morning = datetime.combine(paid + timedelta(days=1), _BILLS_ARE_THERE, SHANGHAI)
    city.move_clock(max(0.0, (morning - _now(city)).total_seconds()))
    bills_come(city)
    bill = _bill(city, wallet, paid)
    figures = ("state", "theirs_payments_fen", "ours_payments_fen", "theirs_refunds_fen", "ours_refunds_fen")
    assert [bill[each] for each in figures] == ["matched", paid_fen, paid_fen, refunded_fen, refunded_fen]
    assert city.count("payments_bill", "state <> 'matched'") == city.count("payments_bill_finding") == 0


def bills_come(city: City) -> None:
    """Wait until the worker's timer has opened every bill that is due, and each has been fetched and looked at."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while missing := _unopened(city):
        assert time.monotonic() < deadline, f"not opened: {missing}"
        time.sleep(0.05)
    come_to_rest(city)
    if _unopened(city):  # time has passed meanwhile, and another day came due
        bills_come(city)


def _unopened(city: City) -> set[tuple[str, str]]:
    opened = {(row["wallet"], str(row["day"])[:10]) for row in city.rows("SELECT wallet, day FROM payments_bill")}
    return {(wallet, day.isoformat()) for wallet in WALLETS for day in due_days(_now(city))} - opened


def _bill(city: City, wallet: str, day: date) -> dict[str, Any]:
    rows = city.rows("SELECT * FROM payments_bill WHERE wallet = ? AND day = ?", wallet, day.isoformat())
    return rows[0] if rows else {}


def _left(city: City, where: str = "1 = 1", *values: Any) -> list[dict[str, Any]]:
    columns = "handler, state, attempts, error, available_at"
    return city.rows(f"SELECT {columns} FROM kit_outbox WHERE {where}", *values)  # noqa: S608 - ours


def _is_due(city: City, row: dict[str, Any]) -> bool:
    """Due now, or failed: what waits to be tried again is not left alone."""
    return bool(row["attempts"]) or _moment(row["available_at"]) <= _now(city)


def _now(city: City) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=city.offset_seconds)


def _moment(stored: Any) -> datetime:
    """SQLite keeps moments as text."""
    moment = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return moment.replace(tzinfo=UTC)


def finished_once(city: City, scene: Scene) -> None:
    """One application, case, entry, payment, certificate and parcel; each told once; nothing left over."""
    come_to_rest(city)
    half_a_day_passes(city)
    _one_visit(city)
    _one_case(city, scene)
    _one_proof_of_each(city, scene)
    _one_payment(city, scene)
    _one_certificate(city, scene)
    _one_parcel(city, scene)
    _told_once(city, scene)
    assert city.count("kit_idempotency_key", "state <> 'done'") == 0


def _one(city: City, statement: str, *values: Any) -> dict[str, Any]:
    rows = city.rows(statement, *values)
    assert len(rows) == 1, rows
    return rows[0]


def _one_case(city: City, scene: Scene) -> None:
    application = _one(city, "SELECT id, state, district, hold FROM applications_application")
    assert application["id"] == scene.application_id
    assert (application["state"], application["district"]) == ("certificate_made", "320114")
    assert application["hold"] in {None, ""}
    case = _one(city, "SELECT id, state, case_number FROM registry_case")
    assert (case["id"], case["state"], case["case_number"]) == (scene.case_id, "entered", scene.case_number)
    entry = _one(city, "SELECT case_id, registration_type, rec_type, unit_code FROM registry_register_entry")
    assert entry == {
        "case_id": scene.case_id,
        "registration_type": "transfer",
        "rec_type": "2000402",
        "unit_code": cast.UNIT_CODE,
    }
    assert city.count("registry_right", "state = 'current' AND current_of IS NOT NULL") == 5
    assert city.count("applications_claim") == 0, "the unit is still claimed"
    assert city.count("registry_claim") == 0, "the unit is still claimed at the registry"
    taxes = city.rows("SELECT tax, payer, amount_fen FROM applications_tax WHERE amount_fen > 0")
    assert taxes == [{"tax": "deed_tax", "payer": "buyer", "amount_fen": cast.DEED_TAX_FEN}]


def _one_visit(city: City) -> None:
    """Booked twice and cancelled once: one place is taken, and every slot counts exactly who has one in it."""
    rows = city.rows("SELECT state, number, active_key FROM appointments_booking ORDER BY id")
    assert [row["state"] for row in rows] == ["cancelled", "booked"]
    assert [row["active_key"] is not None for row in rows] == [False, True]
    assert rows[1]["number"]
    live = "SELECT COUNT(*) FROM appointments_booking b WHERE b.slot_id = s.id AND b.state IN ('held', 'booked')"
    assert not city.rows(f"SELECT id FROM appointments_slot s WHERE booked <> ({live})")  # noqa: S608 - ours
    assert city.count("appointments_slot", "booked > 0") == 1


def _one_proof_of_each(city: City, scene: Scene) -> None:
    """What a department has found is there once for each party, sealed, and went up once with the package."""
    found = city.rows(
        "SELECT party_id, source, result FROM sharing_evidence WHERE application_id = ?", scene.application_id
    )
    assert len(found) == len({(row["party_id"], row["source"]) for row in found})
    assert {row["result"] for row in found} == {"found"}, found
    shared = city.count("applications_material", "origin = 'shared'")
    assert shared == len(found) > 0


def _one_payment(city: City, scene: Scene) -> None:
    order = _one(city, "SELECT id, state, amount_fen FROM payments_order")
    assert (order["state"], order["amount_fen"]) == ("settled", cast.FEE_FEN)
    settlement = _one(city, "SELECT order_id, wallet, amount_fen FROM payments_settlement")
    wallet = scene.buyer.wallet
    assert settlement == {"order_id": order["id"], "wallet": wallet, "amount_fen": cast.FEE_FEN}
    assert city.count("payments_discrepancy") == city.count("payments_refund") == 0
    assert list(WALLETS[wallet].paid(scene.outside).values()) == [cast.FEE_FEN]
    bills_come(city)
    assert city.rows("SELECT wallet, day, state, error FROM payments_bill WHERE state <> 'matched'") == []


def _one_parcel(city: City, scene: Scene) -> None:
    """Five scans, each a line once, however often and in whatever order they were told."""
    parcel = _one(city, "SELECT id, certificate_id, state, signed_by, waybill, attention FROM delivery_order")
    assert (parcel["certificate_id"], parcel["waybill"]) == (scene.new_certificate["id"], posting.WAYBILL)
    assert (parcel["state"], parcel["signed_by"], parcel["attention"]) == ("signed", "self", None)
    lines = city.rows("SELECT state FROM delivery_event ORDER BY at, id")
    assert [row["state"] for row in lines] == ["collected", "transit", "transit", "delivering", "signed"]
    assert city.count("delivery_stray") == 0


def _one_certificate(city: City, scene: Scene) -> None:
    """CertCount is 1: one new certificate, which supersedes the old one on both sides."""
    issued = city.rows(
        "SELECT id, case_id, state, paper_state, superseded_by FROM certificates_issued WHERE unit_code = ? "
        "ORDER BY id",
        cast.UNIT_CODE,
    )
    assert len(issued) == 2, issued
    old, new = issued
    assert (new["case_id"], new["state"]) == (scene.case_id, "valid")
    # The clerk had the old paper back before the new one went out, and its holder has signed for that.
    assert (old["state"], old["paper_state"], old["superseded_by"]) == ("superseded", "returned", new["id"])
    assert new["paper_state"] == "with_holder"
    moves = city.rows("SELECT way FROM certificates_paper_move WHERE certificate_id = ? ORDER BY noted_at", new["id"])
    assert [row["way"] for row in moves] == ["posted", "handed_over"]
    copies = city.rows(
        "SELECT id, application_id, state, paper_state FROM certificates_copy WHERE unit_code = ? ORDER BY id",
        cast.UNIT_CODE,
    )
    assert [(each["id"], each["state"]) for each in copies] == [(old["id"], "superseded"), (new["id"], "valid")]
    assert [each["paper_state"] for each in copies] == ["returned", "with_holder"]
    assert city.count("applications_step", "code IN ('paper_posted', 'paper_with_holder')") == 2
    assert copies[1]["application_id"] == scene.application_id


def _told_once(city: City, scene: Scene) -> None:
    told = Counter(row["template"] for row in city.rows("SELECT template FROM notifications_message"))
    passing = told.pop(PASSING, 0)
    assert passing <= 1
    assert told == TOLD, dict(told)
    pushed = city.rows(
        "SELECT recipient, COUNT(*) AS n FROM notifications_message WHERE template = 'progress_notice' "
        "GROUP BY recipient"
    )
    assert [row["n"] for row in pushed] == [2, 2, 2], "two pushes, each party once per push"
    _sent_once(city, total=sum(TOLD.values()) + passing)
    _agreed_once(city)
    _shown_once(scene, passing)


def _sent_once(city: City, *, total: int) -> None:
    """Each message in the inbox and once more outside."""
    states: Counter[tuple[str, str]] = Counter()
    for row in city.rows("SELECT channel, state FROM notifications_delivery"):
        states["wallet" if row["channel"] in WALLETS else row["channel"], row["state"]] += 1
    texted = sum(TEXTED.values())
    assert states == {
        ("inbox", "sent"): total,
        ("wallet", "sent"): total - texted,
        ("wallet", "skipped"): texted,
        ("sms", "received"): texted,
    }


def _agreed_once(city: City) -> None:
    """Everybody agreed twice to every template; each agreement is spent on one message or is there still."""
    spent = Counter(
        (row["recipient"], row["template"], row["channel"])
        for row in city.rows(
            "SELECT m.recipient, m.template, d.channel FROM notifications_delivery d "
            "JOIN notifications_message m ON m.id = d.message_id WHERE d.consent_spent = 1"
        )
    )
    agreements = city.rows("SELECT recipient, template, channel, remaining, standing FROM notifications_consent")
    assert agreements
    for row in agreements:
        used = spent[row["recipient"], row["template"], row["channel"]]
        assert row["standing"] or row["remaining"] + used == 2, row


def _shown_once(scene: Scene, passing: int) -> None:
    shown = Counter(each["template"] for phone in scene.phones.values() for each in _messages(scene, phone))
    shown[PASSING] -= passing
    assert +shown == Counter(TOLD) - Counter(TEXTED), f"shown by the wallets: {dict(shown)}"
    texts = scene.outside.look("/sms/messages")
    assert Counter(each["template"] for each in texts) == TEXTED, texts


def _messages(scene: Scene, phone: Handset) -> list[dict[str, Any]]:
    return scene.outside.look(WALLETS[phone.wallet].messages, person=phone.person.key)


def nothing_in_clear(city: City, scene: Scene) -> None:
    """No name, ID number, phone, address, wallet's id or session token in any log line, file or table of the house."""
    needles = [*of_people(cast.PARTIES), *of_address(cast.RECEIVER["address"])]
    findings = sweep(city.house.folder, needles=needles)
    assert not findings, findings[:10]
    desks = (scene.officer, scene.clerk)
    tokens = [each.calls.token for each in (*scene.phones.values(), *desks)]
    logs = "".join(path.read_text(encoding="utf-8") for path in (city.house.folder / "logs").glob("*.log"))
    assert '"event":"request"' in logs
    assert '"event":"worker_started"' in logs
    for token in tokens:
        assert token
        assert token not in logs
    for table, text in _tables(city):
        for needle in needles:
            if needle.charset == "utf-8" or needle.charset is None:
                assert needle.data not in text, f"{needle.what} in {table}"


def _tables(city: City) -> list[tuple[str, bytes]]:
    sqlite = city.database_url.startswith("sqlite")
    names = "SELECT name FROM sqlite_master WHERE type = 'table'" if sqlite else "SHOW TABLES"
    found = []
    for row in city.rows(names):
        table = str(next(iter(row.values())))
        rows = city.rows(f"SELECT * FROM {table}")  # noqa: S608 - the database's own names
        text = b"\n".join(_bytes(value) for each in rows for value in each.values())
        found.append((table, text))
    return found


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else str(value).encode()
