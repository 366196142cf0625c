"""Asynchronous notifications: a signed form, repeated until the merchant answers exactly `success`."""

import json
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from sandbox.alipay.money import yuan
from sandbox.alipay.stranger import strangers_key
from sandbox.alipay.trades import PAID, Trade, Trades, written
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.deliveries import Courier, Delivery, Forgery, Receipt
from sandbox.people import People
from sandbox.signing import alipay_content, rsa_sign

TARGET = "alipay.notify"
_MINUTE, _HOUR = 60, 3600
# 4m,10m,10m,1h,2h,6h,15h: within 25 hours of the first attempt.
SCHEDULE = (4 * _MINUTE, 10 * _MINUTE, 10 * _MINUTE, _HOUR, 2 * _HOUR, 6 * _HOUR, 15 * _HOUR)
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Falsehood:
    """What a forged notification claims (None leaves the truth), and how its form is tampered with.

    `reencode` rewrites the JSON fields after signing, as a proxy that parses them would; `drop_sign_type` leaves that
    field out; `sign_with_type` signs it along, as Alipay does for some notifications that are about no trade.
    """

    app_id: str | None = None
    seller_id: str | None = None
    total_amount: str | None = None
    out_trade_no: str | None = None
    trade_status: str | None = None
    reencode: bool = False
    drop_sign_type: bool = False
    sign_with_type: bool = False

    def claims(self) -> dict[str, str]:
        named = ("app_id", "seller_id", "total_amount", "out_trade_no", "trade_status")
        return {name: value for name in named if (value := getattr(self, name)) is not None}


_TRUTH = Falsehood()


class Announcer:
    def __init__(self, *, keys: Keys, clock: Clock, people: People, trades: Trades, courier: Courier) -> None:
        self._keys = keys
        self._clock = clock
        self._people = people
        self._trades = trades
        self._courier = courier

    def paid(self, trade: Trade) -> None:
        """Tell the merchant, now and until it acknowledges."""
        self._announce(trade, trade.out_trade_no, self._payment(trade))

    def refunded(self, trade: Trade, refund: dict[str, Any]) -> None:
        """The payment's address hears of the refund: the same trade_status again, or TRADE_CLOSED for the last fen."""
        subject = f"{trade.out_trade_no}/{refund['out_request_no']}"
        self._announce(trade, subject, self._payment(trade) | _refund(trade, refund))

    def resume(self) -> None:
        """Start over with what a restart left unacknowledged."""
        for trade, notice in list(self._trades.unaccepted()):
            self._courier.dispatch(self._delivery(trade, notice, _TRUTH), SCHEDULE)

    async def send_extra(self, trade: Trade, falsehood: Falsehood, forgery: Forgery) -> Receipt:
        """One more: the last honest one again, or a lie, about a trade that perhaps nobody has paid."""
        notice = trade.notices[-1] if trade.notices else self._invented(trade)
        if falsehood.claims():
            notice = notice | {"notify_id": secrets.token_hex(16)}
        return await self._courier.send(self._delivery(trade, notice, falsehood), forgery)

    async def replay(self, trade: Trade) -> Receipt | None:
        """The last attempt byte for byte, None when nothing was sent yet."""
        subject = trade.notices[-1]["subject"] if trade.notices else trade.out_trade_no
        known = self._courier.latest(TARGET, subject)
        return await self._courier.replay(known) if known and known.last_headers else None

    def _announce(self, trade: Trade, subject: str, params: dict[str, str]) -> None:
        if trade.notify_url is None:  # a merchant that gave no address hears nothing
            return
        trade, notice = self._trades.add_notice(trade, subject=subject, params=params)
        self._courier.dispatch(self._delivery(trade, notice, _TRUTH), SCHEDULE)

    def _invented(self, trade: Trade) -> dict[str, Any]:
        claimed = replace(trade, status=PAID, paid_at=trade.paid_at or written(self._clock.now()))
        return {"notify_id": secrets.token_hex(16), "subject": trade.out_trade_no, "params": self._payment(claimed)}

    def _delivery(self, trade: Trade, notice: dict[str, Any], falsehood: Falsehood) -> Delivery:
        return Delivery(
            target=TARGET,
            subject=notice["subject"],
            url=trade.notify_url or "",
            body=b"",
            sign=lambda _body, _url, _forgery: _HEADERS,
            accepts={200}.__contains__,
            on_accepted=lambda: self._trades.mark_accepted(trade.out_trade_no, notice["notify_id"]),
            compose=lambda forgery: self._form(notice, falsehood, forgery),
            accepts_body="success".__eq__,
        )

    def _form(self, notice: dict[str, Any], falsehood: Falsehood, forgery: Forgery) -> bytes:
        """Signed at the moment of sending: notify_time is new with each attempt."""
        moment = self._clock.now() - timedelta(seconds=forgery.stale_seconds)
        params = {
            "notify_time": written(moment),
            "notify_type": "trade_status_sync",
            "notify_id": notice["notify_id"],
            "charset": "utf-8",
            "version": "1.0",
            **notice["params"],
            **falsehood.claims(),
        }
        with_type = params | {"sign_type": "RSA2"}
        signed = alipay_content(with_type if falsehood.sign_with_type else params)
        key = strangers_key() if forgery.wrong_key else self._keys.alipay_key
        sent = params if falsehood.drop_sign_type else with_type
        if falsehood.reencode:
            sent = sent | {"fund_bill_list": json.dumps(json.loads(params["fund_bill_list"]))}
        return urlencode(sent | {"sign": rsa_sign(key, signed)}).encode()

    def _payment(self, trade: Trade) -> dict[str, str]:
        buyer = self._people.get(trade.buyer)
        told = {
            "app_id": self._keys.alipay_app_id,
            "auth_app_id": self._keys.alipay_app_id,
            "seller_id": self._keys.alipay_seller_id,
            "out_trade_no": trade.out_trade_no,
            "trade_no": trade.trade_no,
            "trade_status": trade.status,
            "subject": trade.subject,
            "total_amount": yuan(trade.total),
            "receipt_amount": yuan(trade.total),
            "buyer_pay_amount": yuan(trade.total),
            "invoice_amount": yuan(trade.total),
            "point_amount": "0.00",
            "fund_bill_list": trade.fund_bill_list(),
            "gmt_create": trade.created_at,
            "gmt_payment": trade.paid_at or "",
        }
        if buyer is not None:
            told |= {"buyer_id": buyer.alipay_user_id, "buyer_open_id": buyer.alipay_open_id}
        for name in ("body", "passback_params"):
            if name in trade.asked:
                told[name] = trade.asked[name]
        return told


def _refund(trade: Trade, refund: dict[str, Any]) -> dict[str, str]:
    """`refund_fee` is what has gone back in all; the moment carries milliseconds, as only here."""
    told = {
        "refund_fee": yuan(trade.refunded),
        "gmt_refund": f"{refund['at']}.000",
        "out_biz_no": refund["out_request_no"],
    }
    return told | {"gmt_close": trade.closed_at} if trade.closed_at else told
