"""What scenario 1 has to leave behind, however often anything was killed on the way: everything once."""

import time
from collections import Counter
from typing import Any

from sandbox.demo import cast, filing, office, paying, verifying
from sandbox.demo.needles import of_people
from sandbox.demo.scene import Scene
from sandbox.demo.sweep import sweep
from tests.journeys.city import City
from tests.journeys.patience import PatientCaller

ACTS = (
    filing.log_in,
    filing.draw_up,
    filing.confirm_and_submit,
    office.arrive,
    office.accept_and_review,
    paying.pay_fee,
    office.clear_tax_and_enter,
    office.receive_certificate,
    verifying.verify,
)
# Who is told: all three parties, or the buyer alone.
TOLD = {
    "confirmation_requested": 3,
    "application_submitted": 3,
    "case_accepted": 3,
    "fee_due": 1,
    "payment_settled": 3,
    "case_entered": 3,
    "certificate_ready": 1,
}
# The wallet is asked about an open attempt after 30 seconds.
_UNTIL_POLL_SECONDS = 60.0
_PATIENCE_SECONDS = 60.0


def play(scene: Scene) -> None:
    """The whole of scenario 1; nobody confirms before the message that asks for it has come."""
    seller = scene.seller.calls
    if isinstance(seller, PatientCaller):
        seller.then = lambda _, path: _await_asked(scene) if path.endswith("/confirmation-request") else None
    for act in ACTS:
        act(scene)


def _await_asked(scene: Scene) -> None:
    def all_asked() -> bool | None:
        return all(phone.messages("confirmation_requested") for phone in scene.phones.values()) or None

    scene.journey.wait_for("the requests to confirm", all_asked)


def come_to_rest(city: City) -> None:
    """Let the delayed question to the wallet come due, and wait until the outbox is empty."""
    city.move_clock(_UNTIL_POLL_SECONDS)
    _await_none(city, "1 = 1")


def become_quiet(city: City) -> None:
    """Wait until nothing is left to do now; an unpaid attempt is asked about again and again, later."""
    _await_none(city, "handler <> 'payments.poll'")


def _await_none(city: City, where: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while left := city.rows(f"SELECT handler, state, attempts, error FROM kit_outbox WHERE {where}"):  # noqa: S608
        assert time.monotonic() < deadline, f"not done: {left}"
        time.sleep(0.05)


def finished_once(city: City, scene: Scene) -> None:
    """One application, case, entry, payment and certificate; each told once; nothing left over."""
    come_to_rest(city)
    _one_case(city, scene)
    _one_payment(city)
    _one_certificate(city, scene)
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


def _one_payment(city: City) -> None:
    order = _one(city, "SELECT id, state, amount_fen FROM payments_order")
    assert (order["state"], order["amount_fen"]) == ("settled", cast.FEE_FEN)
    settlement = _one(city, "SELECT order_id, amount_fen FROM payments_settlement")
    assert settlement == {"order_id": order["id"], "amount_fen": cast.FEE_FEN}
    assert city.count("payments_discrepancy") == 0


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
    assert (old["state"], old["paper_state"], old["superseded_by"]) == ("superseded", "to_be_returned", new["id"])
    copies = city.rows(
        "SELECT id, application_id, state, paper_state FROM certificates_copy WHERE unit_code = ? ORDER BY id",
        cast.UNIT_CODE,
    )
    assert [(each["id"], each["state"]) for each in copies] == [(old["id"], "superseded"), (new["id"], "valid")]
    assert copies[0]["paper_state"] == "to_be_returned"
    assert copies[1]["application_id"] == scene.application_id


def _told_once(city: City, scene: Scene) -> None:
    told = Counter(row["template"] for row in city.rows("SELECT template FROM notifications_message"))
    assert told == TOLD, dict(told)
    states = Counter(
        (row["channel"], row["state"]) for row in city.rows("SELECT channel, state FROM notifications_delivery")
    )
    total = sum(TOLD.values())
    assert states == {("inbox", "sent"): total, ("wechat", "sent"): total}
    shown = Counter(each["template"] for each in scene.outside.look("/wx/messages"))
    assert shown == TOLD, f"shown by WeChat: {dict(shown)}"


def nothing_in_clear(city: City, scene: Scene) -> None:
    """No name, ID number, phone, openid or session token in any log line, file or table of the house."""
    needles = of_people(cast.PARTIES)
    findings = sweep(city.house.folder, needles=needles)
    assert not findings, findings[:10]
    tokens = [*(each.calls.token for each in scene.phones.values()), scene.officer.calls.token]
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
