"""What a resident is told of their own account."""

from kit.clock import time_text
from notifications import service as notifications
from notifications.rules import SMS
from server.identity import queries as residents
from server.identity.events import WalletJoined
from server.journeys.house import House

_WALLETS = {"wechat": "微信", "alipay": "支付宝"}


async def wallet_joined(house: House, event: WalletJoined) -> None:
    """Tell the wallet that was there before: whoever holds it may know nothing of the other.

    Neither the new wallet nor a phone number that came with it says a word to them.
    """
    moment = await residents.check_settled_at(house.identity, check_id=event.check_id)
    await notifications.tell(
        house.notifications,
        recipient=event.resident_id,
        template="wallet_joined",
        params={"wallet": _WALLETS[event.wallet], "time": time_text(moment)},
        dedupe_key=f"wallet_joined:{event.check_id}",
        not_by={event.wallet, SMS} if event.brought_phone else {event.wallet},
    )
