"""A resident's phone with Alipay on it."""

from dataclasses import dataclass
from typing import Any

from sandbox.phones.handset import API, Handset
from sandbox.phones.journey import require

_PAID = "9000"
_MOST_AT_ONCE = 3  # templates in one prompt


@dataclass(slots=True)
class AlipayPhone(Handset):
    """`outside` is what Alipay on the phone does."""

    @property
    def wallet(self) -> str:
        return "alipay"

    def log_in(self) -> None:
        """`my.getAuthCode`, then our session."""
        code = self.outside.do("/alipay/login", person=self.person.key)["code"]
        session = self.calls.post(
            "log in with a my.getAuthCode code", f"{API}/sessions/alipay", {"code": code}, expect=201
        )
        self.calls.token = session["token"]

    def bind_phone(self) -> None:
        """`my.getPhoneNumber`, whose ciphertext only the server can read."""
        given = self.outside.do("/alipay/phone", person=self.person.key)
        me = self.calls.post("bind the phone number", f"{API}/me/phone", given)
        require(me["phone_masked"].endswith(self.person.phone[-4:]), "the phone number bound is not the phone's")

    def pay(self, client_params: dict[str, Any]) -> None:
        """`my.tradePay` and the fingerprint."""
        done = self.outside.do("/alipay/pay", person=self.person.key, trade_no=client_params["tradeNO"])
        require(done["resultCode"] == _PAID, f"the wallet says {done}")

    def messages(self, template: str) -> list[dict[str, Any]]:
        """The subscription messages of a template that Alipay has shown on this phone."""
        shown = self.outside.look("/alipay/messages", person=self.person.key)
        return [each for each in shown if each["template"] == template]

    def _agree(self, templates: list[dict[str, Any]]) -> None:
        """`my.requestSubscribeMessage`: three at a time, long-term ones apart from the others."""
        for standing in (False, True):
            ids = [each["template_id"] for each in templates if each["standing"] is standing]
            for start in range(0, len(ids), _MOST_AT_ONCE):
                asked = ids[start : start + _MOST_AT_ONCE]
                self.outside.do("/alipay/subscribe", person=self.person.key, templates=asked)

    def _look_into_camera(self, check: dict[str, Any]) -> None:
        """`startBizService` with the signed address of the check's page."""
        wanted = {"certify_id": check["verify_id"], "url": check["verify_url"]}
        done = self.outside.do("/alipay/certify", person=self.person.key, **wanted)
        require(done["resultStatus"] == _PAID, f"the wallet says {done}")
