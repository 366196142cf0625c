"""A resident's phone with WeChat on it."""

from dataclasses import dataclass
from typing import Any

from sandbox.phones.handset import API, REAL_NAME, Handset
from sandbox.phones.journey import require

__all__ = ["API", "REAL_NAME", "Phone"]


@dataclass(slots=True)
class Phone(Handset):
    """`outside` is what WeChat on the phone does."""

    @property
    def wallet(self) -> str:
        return "wechat"

    def log_in(self) -> None:
        """`wx.login`, then our session."""
        code = self.outside.do("/wx/login", person=self.person.key)["code"]
        session = self.calls.post("log in with a wx.login code", f"{API}/sessions/wechat", {"code": code}, expect=201)
        self.calls.token = session["token"]

    def bind_phone(self) -> None:
        code = self.outside.do("/wx/phone", person=self.person.key)["code"]
        me = self.calls.post("bind the phone number", f"{API}/me/phone", {"code": code})
        require(me["phone_masked"].endswith(self.person.phone[-4:]), "the phone number bound is not the phone's")

    def pay(self, client_params: dict[str, Any]) -> None:
        """`wx.requestPayment` and the fingerprint."""
        done = self.outside.do("/wx/pay", person=self.person.key, **client_params)
        require(done["result"] == "ok", f"the wallet says {done}")

    def messages(self, template: str) -> list[dict[str, Any]]:
        """The subscription messages of a template that WeChat has shown on this phone."""
        shown = self.outside.look("/wx/messages", person=self.person.key)
        return [each for each in shown if each["template"] == template]

    def _agree(self, templates: list[dict[str, Any]]) -> None:
        """`wx.requestSubscribeMessage` for every template."""
        ids = [each["template_id"] for each in templates]
        self.outside.do("/wx/subscribe", person=self.person.key, template_ids=ids)

    def _look_into_camera(self, check: dict[str, Any]) -> None:
        """`wx.requestFacialVerify`."""
        self.outside.do("/wx/face", verify_id=check["verify_id"], person=self.person.key)
