"""Desks of staff: signing in with password and one-time code; the officer's case list and decisions."""

from dataclasses import dataclass
from typing import Any

import pyotp

from sandbox.phones.caller import Caller

STAFF = "/staff/v1"


@dataclass(slots=True)
class Desk:
    """`username` works at it; `totp_uri` is what their authenticator scanned."""

    username: str
    password: str
    totp_uri: str
    calls: Caller

    def sign_in(self) -> None:
        code = pyotp.parse_uri(self.totp_uri)
        if not isinstance(code, pyotp.TOTP):
            raise TypeError("the second factor is not a time-based code")
        wanted = {"username": self.username, "password": self.password, "totp": code.now()}
        self.calls.token = self.calls.post("sign in", f"{STAFF}/sessions", wanted, expect=201)["token"]


@dataclass(slots=True)
class Officer(Desk):
    def cases(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.calls.get("see the case list", f"{STAFF}/cases")["items"]
        return items

    def case(self, case_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.calls.get("open the case", f"{STAFF}/cases/{case_id}")
        return found

    def read_material(self, case_id: str, material_id: str) -> bytes:
        path = f"{STAFF}/cases/{case_id}/materials/{material_id}"
        return self.calls.ask("read a material", "GET", path).content

    def decide(self, name: str, case_id: str, step: str, *, expect: int = 200, **form: Any) -> dict[str, Any]:
        """`step` is acceptance, review or entry."""
        answer: dict[str, Any] = self.calls.post(name, f"{STAFF}/cases/{case_id}/{step}", form, expect=expect)
        return answer

    def notify(self, case_id: str, text: str) -> dict[str, Any]:
        """Write to the parties of a case."""
        path = f"{STAFF}/cases/{case_id}/notifications"
        pushed: dict[str, Any] = self.calls.post("write to the parties", path, {"text": text}, expect=201)
        return pushed
