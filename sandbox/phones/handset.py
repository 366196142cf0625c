"""What a resident's phone with the mini-program does in any wallet, and what each wallet's phone must add."""

import base64
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

from sandbox.people import Person
from sandbox.phones.caller import Caller
from sandbox.phones.journey import Journey, require
from sandbox.phones.outside import OutsideWorld

API = "/api/v1"
REAL_NAME = 3  # the level of a resident whose name and face were checked


@dataclass(slots=True)
class Handset(ABC):
    """`person` holds it; `calls` goes to the product, `outside` is what the wallet on the phone does."""

    person: Person
    calls: Caller
    outside: OutsideWorld

    @classmethod
    def of(cls, person: Person, *, base_url: str, journey: Journey, outside: OutsideWorld) -> Self:
        return cls(person, Caller(base_url, journey, f"{person.key} {person.name}"), outside)

    @property
    @abstractmethod
    def wallet(self) -> str:
        """The wallet's name as the product spells it."""

    @abstractmethod
    def log_in(self) -> None:
        """The wallet's login code, then our session."""

    @abstractmethod
    def bind_phone(self) -> None:
        """Bind the phone number that the wallet knows."""

    @abstractmethod
    def pay(self, client_params: dict[str, Any]) -> None:
        """The wallet's payment sheet and the fingerprint."""

    @abstractmethod
    def messages(self, template: str) -> list[dict[str, Any]]:
        """The messages of a template that the wallet has shown on this phone."""

    def prove_real_name(self) -> None:
        """Name and ID number checked against a living face; the result is the server's own to fetch."""
        wanted = {"action": "real_name", "name": self.person.name, "id_number": self.person.id_number}
        self._show_face(wanted)
        me = self.calls.get("see the real name bound", f"{API}/me")
        require(me["level"] == REAL_NAME, f"{self.person.key} has level {me['level']}, not real name")
        require(self.person.id_number not in str(me), "an ID number is shown in clear")

    def prove_it_is_me(self, digest: str) -> str:
        """A face check for exactly this digest; its id."""
        return self._show_face({"action": "confirm_application", "digest": digest})

    def accept_messages(self) -> None:
        """Agree to every template in the wallet, and tell us what was accepted."""
        path = f"{API}/subscriptions/templates"
        templates = self.calls.get("see the message templates", path)["items"]
        require(templates, "no subscription message template is offered")
        self._agree(templates)
        accepted = {each["template"]: "accept" for each in templates}
        self.calls.post("accept subscription messages", f"{API}/subscriptions", {"templates": accepted})

    def share_materials(self, application_id: str) -> dict[str, Any]:
        """Have the departments asked for a draft's materials; the application as it is then."""
        path = f"{API}/applications/{application_id}/shared-materials"
        found: dict[str, Any] = self.calls.post("let the departments share materials", path, expect=200)
        return found

    def book_counter(self, district: str, business: str) -> dict[str, Any]:
        """Take the last free slot of the district's office, which has not begun at any hour, and confirm it."""
        office = self.calls.get("look for an office", f"{API}/offices?district={district}")["items"][0]
        path = f"{API}/offices/{office['id']}/slots?business={business}&days=14"
        days = self.calls.get("look at its slots", path)["days"]
        free = [slot for day in days for slot in day["slots"] if slot["left"] > 0]
        return self.book_slot(free[-1]["id"], business)

    def book_slot(self, slot_id: str, business: str) -> dict[str, Any]:
        """Hold a place in the slot and confirm it: the appointment."""
        path, wanted = f"{API}/appointments", {"slot_id": slot_id, "business_type": business}
        held = self.calls.post("hold a place", path, wanted, expect=201)
        require(held["state"] == "held", f"the appointment is {held['state']}")
        booked: dict[str, Any] = self.calls.post("confirm it", f"{path}/{held['id']}/confirmation", expect=200)
        return booked

    def show_pass(self, appointment_id: str) -> bytes:
        """The picture that the clerk scans."""
        return self.calls.ask("show the pass", "GET", f"{API}/appointments/{appointment_id}/pass").content

    def sign(self, drawn: bytes) -> str:
        """A drawn signature as the mini-program sends it."""
        return base64.b64encode(drawn).decode()

    @abstractmethod
    def _agree(self, templates: list[dict[str, Any]]) -> None:
        """The wallet's own prompt for these templates."""

    @abstractmethod
    def _look_into_camera(self, check: dict[str, Any]) -> None:
        """The wallet's own face check, as the product opened it."""

    def _show_face(self, wanted: dict[str, Any]) -> str:
        purpose = wanted["action"].replace("_", " ")
        check = self.calls.post(f"open a face check ({purpose})", f"{API}/face-checks", wanted, expect=201)
        self._look_into_camera(check)
        path = f"{API}/face-checks/{check['id']}/result"
        result = self.calls.post(f"ask how it ended ({purpose})", path)
        require(result["state"] == "passed", f"the face check is {result['state']}")
        return str(check["id"])
