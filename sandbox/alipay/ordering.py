"""alipay.trade.create, query and close; and what `my.tradePay` does on the phone."""

import re
from datetime import datetime, timedelta
from typing import Any

from sandbox.addresses import may_be_called
from sandbox.alipay.announcing import Announcer
from sandbox.alipay.gateway import Call
from sandbox.alipay.money import fen, yuan
from sandbox.alipay.refusals import failed, invalid
from sandbox.alipay.trades import CLOSED, WAITING, Trade, Trades, read
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.people import People, Person

_NUMBER = re.compile(r"[0-9A-Za-z_]{1,64}")
_EXPRESS = re.compile(r"([1-9]\d{0,3})([mhd])|1c")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DEFAULT_LIFE = timedelta(days=15)
# What must stay the same when a trade is created again.
_IDENTITY = (
    *("out_trade_no", "total_amount", "subject", "product_code", "op_app_id", "body"),
    *("passback_params", "time_expire", "timeout_express", "seller_id"),
)
PAID_RESULT, FAILED_RESULT, CANCELLED_RESULT = "9000", "4000", "6001"


class Ordering:
    def __init__(self, *, keys: Keys, clock: Clock, people: People, trades: Trades, announcer: Announcer) -> None:
        self._keys = keys
        self._clock = clock
        self._people = people
        self._trades = trades
        self._announcer = announcer

    def create(self, call: Call) -> dict[str, Any]:
        """The same parameters again get the same trade; others under its number are a contradiction."""
        total = self._read(call)
        buyer = self._people.by_alipay(str(call.biz.get("buyer_open_id") or call.biz.get("buyer_id") or ""))
        if buyer is None:
            raise failed("ACQ.BUYER_NOT_EXIST")
        asked = {name: call.biz[name] for name in _IDENTITY if name in call.biz}
        known = self._trades.get(asked["out_trade_no"])
        if known is None:
            known = self._trades.open(
                buyer=buyer.key,
                total=total,
                expires_at=self._expiry(call.biz),
                notify_url=call.params.get("notify_url"),
                asked=asked,
            )
        elif known.status == CLOSED:
            raise failed("ACQ.TRADE_HAS_CLOSE")
        elif known.status != WAITING:
            raise failed("ACQ.TRADE_HAS_SUCCESS")
        elif known.buyer != buyer.key:
            raise failed("ACQ.TRADE_BUYER_NOT_MATCH")
        elif known.asked != asked:
            raise failed("ACQ.CONTEXT_INCONSISTENT")
        return {"out_trade_no": known.out_trade_no, "trade_no": known.trade_no}

    def query(self, call: Call) -> dict[str, Any]:
        return self._shown(find(self._trades, call.biz))

    def close(self, call: Call) -> dict[str, Any]:
        """Only what nobody has paid can be closed."""
        trade = find(self._trades, call.biz)
        if trade.status != WAITING:
            raise failed("ACQ.TRADE_STATUS_ERROR")
        self._trades.close(trade)
        return {"out_trade_no": trade.out_trade_no, "trade_no": trade.trade_no}

    def trade_pay(self, person: Person, trade_no: str, *, outcome: str) -> str:
        """The resultCode with which the phone's `my.tradePay` ends."""
        trade = self._trades.by_trade_no(trade_no)
        if trade is None or trade.status != WAITING or trade.buyer != person.key:
            return FAILED_RESULT
        if outcome == "cancel":
            return CANCELLED_RESULT
        self._announcer.paid(self._trades.pay(trade))
        return PAID_RESULT

    def _read(self, call: Call) -> int:
        """The total in fen; raises ACQ.INVALID_PARAMETER with the first parameter that is wrong."""
        biz, total = call.biz, fen(call.biz.get("total_amount"))
        subject, url = biz.get("subject"), call.params.get("notify_url")
        for name, good in (
            ("out_trade_no", isinstance(biz.get("out_trade_no"), str) and bool(_NUMBER.fullmatch(biz["out_trade_no"]))),
            ("total_amount", total is not None),
            ("subject", isinstance(subject, str) and 1 <= len(subject) <= 256 and not set(subject) & set("/=&")),
            ("product_code", biz.get("product_code") == "JSAPI_PAY"),
            ("op_app_id", biz.get("op_app_id") == self._keys.alipay_app_id),
            ("seller_id", biz.get("seller_id") in {None, self._keys.alipay_seller_id}),
            ("notify_url", url is None or may_be_called(url)),
        ):
            if not good:
                raise invalid(name)
        if total is None:
            raise invalid("total_amount")
        return total

    def _expiry(self, biz: dict[str, Any]) -> datetime:
        now = self._clock.now()
        if "time_expire" in biz:
            try:
                moment = read(str(biz["time_expire"]))
            except ValueError:
                raise invalid("time_expire") from None
            if moment <= now:
                raise invalid("time_expire")
            return moment
        if "timeout_express" not in biz:
            return now + _DEFAULT_LIFE
        parts = _EXPRESS.fullmatch(str(biz["timeout_express"]))
        if parts is None:
            raise invalid("timeout_express")
        return now + (int(parts[1]) * _UNITS[parts[2]] if parts[1] else timedelta(days=1))

    def _shown(self, trade: Trade) -> dict[str, Any]:
        buyer = self._people.get(trade.buyer)
        shown: dict[str, Any] = {
            "trade_no": trade.trade_no,
            "out_trade_no": trade.out_trade_no,
            "trade_status": trade.status,
            "total_amount": yuan(trade.total),
            "subject": trade.subject,
            "receipt_amount": yuan(trade.total if trade.was_paid else 0),
            "buyer_pay_amount": yuan(trade.total if trade.was_paid else 0),
            "point_amount": "0.00",
            "invoice_amount": yuan(trade.total if trade.was_paid else 0),
        }
        if buyer is not None:
            shown |= {"buyer_user_id": buyer.alipay_user_id, "buyer_open_id": buyer.alipay_open_id}
            shown["buyer_logon_id"] = f"{buyer.phone[:3]}****{buyer.phone[-2:]}"
        if trade.paid_at is not None:
            shown |= {"send_pay_date": trade.paid_at, "fund_bill_list": [_fund(trade)]}
        if "passback_params" in trade.asked:
            shown["passback_params"] = trade.asked["passback_params"]
        return shown


def find(trades: Trades, biz: dict[str, Any]) -> Trade:
    """By trade_no, else by out_trade_no; raises ACQ.TRADE_NOT_EXIST."""
    if not biz.get("trade_no") and not biz.get("out_trade_no"):
        raise invalid("out_trade_no")
    found = trades.by_trade_no(str(biz["trade_no"])) if biz.get("trade_no") else trades.get(str(biz["out_trade_no"]))
    if found is None or biz.get("out_trade_no") not in {None, "", found.out_trade_no}:
        raise failed("ACQ.TRADE_NOT_EXIST")
    return found


def _fund(trade: Trade) -> dict[str, str]:
    return {"amount": yuan(trade.total), "fund_channel": "ALIPAYACCOUNT"}
