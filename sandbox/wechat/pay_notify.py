"""Payment notifications: signed, their resource encrypted, repeated until the merchant acknowledges."""

import json
import secrets
import string
import uuid
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from sandbox.answers import compact
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.deliveries import Courier, Delivery, Forgery, Receipt
from sandbox.signing import WECHAT_PAY_SCHEME, gcm_encrypt, pay_answer_message, rsa_sign
from sandbox.wechat.pay_orders import Order, Orders

TARGET = "pay.notify"
_MINUTE, _HOUR = 60, 3600
# 15s/15s/30s/3m/10m/20m/30m/30m/30m/60m/3h/3h/3h/6h/6h: 24 h 4 min in all.
SCHEDULE = (
    *(15, 15, 30, 3 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE, 30 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 3 * _HOUR, 3 * _HOUR, 3 * _HOUR, 6 * _HOUR, 6 * _HOUR),
)
_ACKNOWLEDGED = {200, 204}
_NONCE_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Falsehood:
    """What a forged notification claims; None leaves the truth."""

    amount_fen: int | None = None
    mchid: str | None = None
    appid: str | None = None

    @property
    def tells_truth(self) -> bool:
        return (self.amount_fen, self.mchid, self.appid) == (None, None, None)


class Announcer:
    def __init__(self, *, keys: Keys, clock: Clock, orders: Orders, courier: Courier) -> None:
        self._keys = keys
        self._clock = clock
        self._orders = orders
        self._courier = courier
        self._stranger: RSAPrivateKey | None = None

    def announce(self, order: Order) -> None:
        """Tell the merchant, now and until it acknowledges."""
        self._courier.dispatch(self._delivery(order, Falsehood()), SCHEDULE)

    def resume(self) -> None:
        """Start over with the payments that a restart left unacknowledged."""
        for order in self._orders.unannounced():
            self.announce(order)

    async def send_extra(self, order: Order, falsehood: Falsehood, forgery: Forgery) -> Receipt:
        """One more: the honest one again, or, with a falsehood, one of its own, about an order perhaps unpaid."""
        known = self._courier.latest(TARGET, order.out_trade_no)
        if known is None or not falsehood.tells_truth:
            known = self._delivery(order, falsehood)
        return await self._courier.send(known, forgery)

    async def replay(self, order: Order) -> Receipt | None:
        """The last attempt byte for byte, None when nothing was sent yet."""
        known = self._courier.latest(TARGET, order.out_trade_no)
        return await self._courier.replay(known) if known and known.last_headers else None

    def _delivery(self, order: Order, falsehood: Falsehood) -> Delivery:
        return Delivery(
            target=TARGET,
            subject=order.out_trade_no,
            url=order.notify_url,
            body=compact(self._notification(self._transaction(order, falsehood))),
            sign=self._sign,
            accepts=_ACKNOWLEDGED.__contains__,
            on_accepted=lambda: self._orders.mark_notified(order.out_trade_no),
        )

    def _transaction(self, order: Order, falsehood: Falsehood) -> dict[str, Any]:
        if order.trade_state != "SUCCESS":
            order = replace(
                order, trade_state="SUCCESS", transaction_id="4200" + "0" * 24, success_time=self._clock.beijing()
            )
        if falsehood.amount_fen is not None:
            order = replace(order, total=falsehood.amount_fen)
        shown = order.describe(self._keys)
        return shown | {"mchid": falsehood.mchid or self._keys.mchid, "appid": falsehood.appid or self._keys.app_id}

    def _notification(self, transaction: dict[str, Any]) -> dict[str, Any]:
        # The id follows from what is told, so that it is the same after a restart and another for a falsehood.
        nonce = "".join(secrets.choice(_NONCE_ALPHABET) for _ in range(12))
        ciphertext = gcm_encrypt(
            self._keys.apiv3_key, nonce=nonce, associated_data="transaction", plaintext=compact(transaction)
        )
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(transaction, sort_keys=True))),
            "create_time": transaction["success_time"],
            "event_type": "TRANSACTION.SUCCESS",
            "resource_type": "encrypt-resource",
            "summary": "支付成功",
            "resource": {
                "original_type": "transaction",
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": ciphertext,
                "associated_data": "transaction",
                "nonce": nonce,
            },
        }

    def _sign(self, body: bytes, _url: str, forgery: Forgery) -> dict[str, str]:
        timestamp = str(self._clock.timestamp() - forgery.stale_seconds)
        nonce = secrets.token_hex(16)
        key = self._strangers_key() if forgery.wrong_key else self._keys.wechatpay_key
        signature = rsa_sign(key, pay_answer_message(timestamp=timestamp, nonce=nonce, body=body))
        if forgery.signtest:
            # WeChat Pay probes merchants with signatures of this form that must be refused.
            signature = f"WECHATPAY/SIGNTEST/{signature}"
        return {
            "Content-Type": "application/json",
            "Wechatpay-Serial": self._keys.wechatpay_public_key_id,
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": signature,
            "Wechatpay-Signature-Type": WECHAT_PAY_SCHEME,
        }

    def _strangers_key(self) -> RSAPrivateKey:
        if self._stranger is None:
            self._stranger = generate_private_key(public_exponent=65537, key_size=2048)
        return self._stranger
