"""The clerk's desk at the platform: appointments at the counter, and paper that goes out by express."""

from dataclasses import dataclass
from typing import Any

from sandbox.phones.officer import STAFF, Desk


@dataclass(slots=True)
class Clerk(Desk):
    def deliveries(self, state: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.calls.get(
            "see who wants paper", f"{STAFF}/deliveries", params={"state": state}
        )["items"]
        return items

    def label(self, delivery_id: str, *, reason: str) -> dict[str, Any]:
        """The receiver in clear; the reason is kept."""
        found: dict[str, Any] = self.calls.post(
            "read the address", f"{STAFF}/deliveries/{delivery_id}/label", {"reason": reason}, expect=200
        )
        return found

    def dispatch(self, delivery_id: str, *, carrier: str, waybill: str) -> dict[str, Any]:
        """Hand it to the carrier, and say that the old paper is back."""
        form = {"carrier": carrier, "waybill": waybill, "old_certificate_recalled": True}
        sent: dict[str, Any] = self.calls.post(
            "hand the parcel over", f"{STAFF}/deliveries/{delivery_id}/dispatch", form, expect=200
        )
        return sent

    def check_in(self, pass_text: str) -> dict[str, Any]:
        """Scan what the visitor's phone shows."""
        visitor: dict[str, Any] = self.calls.post(
            "scan the pass", f"{STAFF}/appointments/check-in", {"pass": pass_text}
        )
        return visitor

    def close_day(self, office_id: str, *, day: str, reason: str) -> dict[str, Any]:
        """The office does not open on that day; everybody who has booked is told the reason."""
        path = f"{STAFF}/offices/{office_id}/closures"
        closed: dict[str, Any] = self.calls.post("close the day", path, {"day": day, "reason": reason}, expect=201)
        return closed
