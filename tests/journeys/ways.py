"""Ways beside scenario 1, each from an application of its own on unit H1; everybody is signed in already."""

from typing import Any

from sandbox.demo import booking, cast, filing, office, paying, posting
from sandbox.demo.scene import Scene
from sandbox.phones.handset import Handset
from sandbox.phones.journey import require
from sandbox.phones.officer import STAFF, Desk

LONG_ENOUGH_TO_EXPIRE = 90 * 24 * 3600.0
"""Seconds after which no draft is left as it was."""
REFUND_FEN = 3_000
CLOSED_FOR = "设备检修"


def forgotten(scene: Scene) -> None:
    """Opened, and never thought of again."""
    scene.seller.calls.post("open an application", "/api/v1/applications", cast.application(), expect=201)


def party_refuses(scene: Scene) -> None:
    """Scenario 3: the co-owner does not agree, and the application is over."""
    filing.draw_up(scene)
    path = scene.application_path
    scene.seller.calls.post("ask all parties to confirm", f"{path}/confirmation-request", expect=200)
    other = scene.phones[cast.CO_SELLER.key]
    scene.journey.wait_for("the co-owner's view", lambda: _sees(scene))
    ended = other.calls.post("refuse", f"{path}/refusal", {"reason": "价格没有谈妥"}, expect=200)
    require(ended["state"] == "party_refused", f"the application is {ended['state']}")


def withdrawn_before_acceptance(scene: Scene) -> None:
    """Taken back while the case waits at the registry."""
    _to_the_registry(scene)
    path = f"{scene.application_path}/withdrawal"
    ended = scene.buyer.calls.post("withdraw", path, expect=200)
    require(ended["state"] == "withdrawn", f"the application is {ended['state']}")
    scene.journey.wait_for("the case's end", lambda: _case_is(scene, "withdrawn"))


def corrected_then_refused(scene: Scene) -> None:
    """The officer asks for corrections, and refuses in the end."""
    _to_the_registry(scene)
    items = ["请补充清晰的身份证照片"]
    scene.officer.decide("ask for corrections", scene.case_id, "correction", items=items, deadline_days=5)
    scene.journey.wait_for("the correction to be told", lambda: _application_is(scene, "correction_asked"))
    scene.officer.decide("refuse", scene.case_id, "refusal", ground="材料不齐全", opinion="逾期未补正，不予受理。")
    scene.journey.wait_for("the refusal to be told", lambda: _application_is(scene, "refused"))


def entered_before_the_fee(scene: Scene) -> None:
    """The fee holds up the certificate, not the entry: paid late, it releases the certificate."""
    _to_the_registry(scene)
    office.accept_and_review(scene)
    office.clear_tax_and_enter(scene)
    require(not scene.application(scene.buyer)["certificate_id"], "there is a certificate before the fee is paid")
    paying.pay_fee(scene)
    scene.journey.wait_for("the certificate", lambda: scene.application(scene.buyer)["certificate_id"])


def office_closes(scene: Scene) -> None:
    """The buyer has booked a day on which the office then does not open."""
    chosen = booking._choose_office(scene)
    slot, _ = booking._two_free_slots(scene, chosen)
    booked = booking._booked(scene, slot)
    scene.clerk.sign_in()
    scene.clerk.close_day(chosen["id"], day=booked["starts_at"][:10], reason=CLOSED_FOR)
    scene.journey.wait_for("the appointment's end", lambda: _appointment_is(scene, booked["id"], "cancelled"))
    told = "appointment_office_closed"
    scene.journey.wait_for("the message about it", lambda: scene.buyer.messages(told) or None)


def partly_refunded(scene: Scene, finance: Desk) -> None:
    """Finance gives back a part of the fee that was paid last."""
    ask_for_refund(scene, finance)
    scene.journey.wait_for("the message of the refund", lambda: scene.buyer.messages("refund_settled") or None)


def ask_for_refund(scene: Scene, finance: Desk) -> None:
    finance.sign_in()
    path = f"{STAFF}/payments/orders/{scene.order_id}/refunds"
    finance.calls.post("give back a part", path, {"amount_fen": REFUND_FEN, "reason": "减免登记费"}, expect=201)


def parcel_of_which_nothing_is_told(scene: Scene) -> None:
    """The carrier scans it and has it signed for, and its pushes never come: only asking finds out."""
    posted(scene)
    for step in ("collected", "delivering", "signed"):
        scene.outside.do("/carrier/advance", waybill=posting.WAYBILL, step=step, push=False)


def posted(scene: Scene) -> None:
    """The buyer's paper goes to the carrier, which is asked to tell of it."""
    certificate_id = scene.application(scene.buyer)["certificate_id"]
    wanted = {"certificate_id": certificate_id, "receiver": cast.RECEIVER}
    asked = scene.buyer.calls.post("ask for the paper by express", "/api/v1/deliveries", wanted, expect=201)
    posting._send(scene, asked["id"])
    scene.journey.wait_for("the subscription at the carrier", lambda: posting._subscribed(scene))


def second_wallet(scene: Scene, phone: Handset) -> None:
    """Somebody known by one wallet proves in another one who they are: the first is told."""
    phone.log_in()
    phone.bind_phone()
    phone.prove_real_name()
    known = scene.phones[phone.person.key]
    scene.journey.wait_for("the message about it", lambda: known.messages("wallet_joined") or None)


def _to_the_registry(scene: Scene) -> None:
    filing.draw_up(scene)
    filing.confirm_and_submit(scene)
    office.arrive(scene)


def _sees(scene: Scene) -> bool | None:
    other = scene.phones[cast.CO_SELLER.key]
    mine = other.calls.get("find my applications", "/api/v1/applications")["items"]
    return scene.application_id in {each["id"] for each in mine} or None


def _application_is(scene: Scene, state: str) -> dict[str, Any] | None:
    found = scene.application(scene.seller)
    return found if found["state"] == state else None


def _appointment_is(scene: Scene, booking_id: str, state: str) -> dict[str, Any] | None:
    found: dict[str, Any] = scene.buyer.calls.get("look at the appointment", f"/api/v1/appointments/{booking_id}")
    return found if found["state"] == state else None


def _case_is(scene: Scene, state: str) -> dict[str, Any] | None:
    found = scene.officer.case(scene.case_id)
    return found if found["state"] == state else None
