"""A resident's phone with the mini-program on it: WeChat's own functions, and what the mini-program asks of us."""

import base64
from dataclasses import dataclass
from typing import Any

from sandbox.people import Person
from sandbox.phones.caller import Caller
from sandbox.phones.journey import Journey, require
from sandbox.phones.outside import OutsideWorld

API = "/api/v1"
REAL_NAME = 3  # the level of a resident whose name and face were checked


@dataclass(slots=True)
class Phone:
    """`person` holds it; `calls` goes to the product, `outside` is what WeChat on the phone does."""

    person: Person
    calls: Caller
    outside: OutsideWorld

    @classmethod
    def of(cls, person: Person, *, base_url: str, journey: Journey, outside: OutsideWorld) -> "Phone":
        return cls(person, Caller(base_url, journey, f"{person.key} {person.name}"), outside)

    def log_in(self) -> None:
        """`wx.login`, then our session."""
        code = self.outside.do("/wx/login", person=self.person.key)["code"]
        session = self.calls.post("log in with a wx.login code", f"{API}/sessions/wechat", {"code": code}, expect=201)
        self.calls.token = session["token"]

    def bind_phone(self) -> None:
        code = self.outside.do("/wx/phone", person=self.person.key)["code"]
        me = self.calls.post("bind the phone number", f"{API}/me/phone", {"code": code})
        require(me["phone_masked"].endswith(self.person.phone[-4:]), "the phone number bound is not the phone's")

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
        """`wx.requestSubscribeMessage` for every template, and telling us what was accepted."""
        path = f"{API}/subscriptions/templates"
        templates = self.calls.get("see the message templates", path)["items"]
        ids = [each["template_id"] for each in templates]
        require(ids, "no subscription message template is offered")
        self.outside.do("/wx/subscribe", person=self.person.key, template_ids=ids)
        accepted = {each["template"]: "accept" for each in templates}
        self.calls.post("accept subscription messages", f"{API}/subscriptions", {"templates": accepted})

    def pay(self, client_params: dict[str, Any]) -> None:
        """`wx.requestPayment` and the fingerprint."""
        done = self.outside.do("/wx/pay", person=self.person.key, **client_params)
        require(done["result"] == "ok", f"the wallet says {done}")

    def sign(self, drawn: bytes) -> str:
        """A drawn signature as the mini-program sends it."""
        return base64.b64encode(drawn).decode()

    def messages(self, template: str) -> list[dict[str, Any]]:
        """The subscription messages of a template that WeChat has shown on this phone."""
        shown = self.outside.look("/wx/messages", person=self.person.key)
        return [each for each in shown if each["template"] == template]

    def _show_face(self, wanted: dict[str, Any]) -> str:
        purpose = wanted["action"].replace("_", " ")
        check = self.calls.post(f"open a face check ({purpose})", f"{API}/face-checks", wanted, expect=201)
        self.outside.do("/wx/face", verify_id=check["verify_id"], person=self.person.key)
        path = f"{API}/face-checks/{check['id']}/result"
        result = self.calls.post(f"ask for the face check's result ({purpose})", path)
        require(result["state"] == "passed", f"the face check is {result['state']}")
        return str(check["id"])
