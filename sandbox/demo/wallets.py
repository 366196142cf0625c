"""What the demo asks of each wallet's own books and desk."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.phones.outside import OutsideWorld


@dataclass(frozen=True, slots=True)
class Wallet:
    """`identity`: the calls by which a server learns who somebody is; `face`: by which it learns of a face check."""

    name: str
    notices: str
    notify: str
    orders: str
    paid_states: frozenset[str]
    state_field: str
    identity: Sequence[str]
    face: str
    messages: str

    def paid(self, outside: OutsideWorld) -> dict[str, int]:
        """What was paid, in fen, by the merchant's number."""
        found = outside.look(self.orders)
        return {each["out_trade_no"]: each["total"] for each in found if each[self.state_field] in self.paid_states}


WALLETS = {
    "wechat": Wallet(
        name="WeChat Pay",
        notices="pay.notify",
        notify="/pay/notify",
        orders="/pay/orders",
        paid_states=frozenset({"SUCCESS"}),
        state_field="trade_state",
        identity=("wechat.jscode2session", "wechat.phone"),
        face="wechat.face_query",
        messages="/wx/messages",
    ),
    "alipay": Wallet(
        name="Alipay",
        notices="alipay.notify",
        notify="/alipay/notify",
        orders="/alipay/trades",
        paid_states=frozenset({"TRADE_SUCCESS", "TRADE_FINISHED"}),
        state_field="status",
        identity=("alipay.oauth",),
        face="alipay.certify_query",
        messages="/alipay/messages",
    ),
}
