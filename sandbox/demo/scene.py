"""What the steps share: the people, their devices, both houses, and what has come of it so far."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.demo import cast
from sandbox.phones.caller import Caller
from sandbox.phones.clerk import Clerk
from sandbox.phones.handset import API, Handset
from sandbox.phones.journey import Journey
from sandbox.phones.officer import Officer
from sandbox.phones.outside import OutsideWorld
from sandbox.run.houses import Houses


@dataclass(slots=True)
class Scene:
    """`results` is the folder for what the demo leaves behind; later steps fill the lower half."""

    journey: Journey
    houses: Houses
    outside: OutsideWorld
    phones: dict[str, Handset]
    officer: Officer
    clerk: Clerk
    passer_by: Caller
    results: Path

    application_id: str = ""
    case_id: str = ""
    case_number: str = ""
    order_id: str = ""
    old_certificate: dict[str, Any] = field(default_factory=dict)
    old_link: str = ""
    new_certificate: dict[str, Any] = field(default_factory=dict)
    pdf: bytes = b""
    scanned: str = ""

    @property
    def seller(self) -> Handset:
        return self.phones[cast.SELLER.key]

    @property
    def buyer(self) -> Handset:
        return self.phones[cast.BUYER.key]

    @property
    def application_path(self) -> str:
        return f"{API}/applications/{self.application_id}"

    def application(self, phone: Handset) -> dict[str, Any]:
        """The application as this phone sees it."""
        found: dict[str, Any] = phone.calls.get("look at the application", self.application_path)
        return found

    def all_told(self, template: str) -> bool | None:
        """True once the wallets have shown all three parties a message of this template about this case."""
        shown = [phone.messages(template) for phone in self.phones.values()]
        return all(self.case_number in str(each) for each in shown) or None

    def told_twice(self, target: str) -> str | None:
        """What a partner's notification was about, once it has been sent twice and acknowledged both times."""
        for each in self.outside.look("/deliveries"):
            taken = [attempt for attempt in each["attempts"] if attempt["status"] in {200, 204}]
            if each["target"] == target and len(taken) >= 2:
                return str(each["subject"])
        return None

    def close(self) -> None:
        for phone in self.phones.values():
            phone.calls.close()
        self.officer.calls.close()
        self.clerk.calls.close()
        self.passer_by.close()
        self.outside.close()
