"""Posting a certificate's paper: what its holder asks for, what a clerk does, what the carrier scans."""

from typing import Any

from sandbox.phones.caller import Caller
from sandbox.phones.outside import OutsideWorld

_MINE, _DESK = "/api/v1/deliveries", "/staff/v1/deliveries"


def ask_for_paper(calls: Caller, certificate_id: str, receiver: dict[str, str]) -> dict[str, Any]:
    """`receiver` has name, phone, district, address and postcode; the delivery."""
    wanted = {"certificate_id": certificate_id, "receiver": receiver}
    made: dict[str, Any] = calls.post("ask for the paper by express", _MINE, wanted, expect=201)
    return made


def look_at_parcel(calls: Caller, delivery_id: str) -> dict[str, Any]:
    """The delivery with its timeline, newest first."""
    seen: dict[str, Any] = calls.get("look where the parcel is", f"{_MINE}/{delivery_id}")
    return seen


def wishes(calls: Caller) -> list[dict[str, Any]]:
    """What a clerk has to send."""
    items: list[dict[str, Any]] = calls.get("see who asked for a paper", f"{_DESK}?state=requested")["items"]
    return items


def send_paper(calls: Caller, delivery_id: str, *, waybill: str, carrier: str = "ems", recalled: bool) -> None:
    """Read the label, for which a reason is given, and hand the parcel to the carrier."""
    calls.post("read the receiver for the label", f"{_DESK}/{delivery_id}/label", {"reason": "填写邮件面单"})
    sent = {"carrier": carrier, "waybill": waybill, "old_certificate_recalled": recalled}
    calls.post("send the paper", f"{_DESK}/{delivery_id}/dispatch", sent)


def scan(outside: OutsideWorld, waybill: str, step: str, **more: Any) -> dict[str, Any]:
    """The carrier scans the parcel, and tells unless `push` is False."""
    return outside.do("/carrier/advance", waybill=waybill, step=step, **more)


def push(outside: OutsideWorld, waybill: str, **more: Any) -> dict[str, Any]:
    """One push more: `only` the first so many lines, or the whole list again; what the product answered."""
    return outside.do("/carrier/push", waybill=waybill, **more)
