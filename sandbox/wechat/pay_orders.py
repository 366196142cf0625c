"""Orders as WeChat Pay keeps them, and the rules an order request must meet."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sandbox.addresses import may_be_called
from sandbox.answers import Refused
from sandbox.books import Books
from sandbox.clock import BEIJING, Clock
from sandbox.credentials import Keys

PREPAY_SECONDS = 7200
_DEFAULT_LIFE = timedelta(days=7)
_LEAST_LIFE = timedelta(minutes=1)
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
STATE_TEXTS = {"SUCCESS": "支付成功", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭"}
# What must stay the same when an order is posted again.
_IDENTITY = (
    "appid",
    "mchid",
    "description",
    "out_trade_no",
    "notify_url",
    "amount",
    "openid",
    "attach",
    "time_expire",
    "goods_tag",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`total` and `refunded` in fen; `notified` once the merchant has acknowledged the payment."""

    out_trade_no: str
    openid: str
    total: int
    notify_url: str
    attach: str | None
    asked: dict[str, Any]
    expires_at: str
    prepay_id: str
    prepay_until: int
    trade_state: str = "NOTPAY"
    transaction_id: str | None = None
    success_time: str | None = None
    notified: bool = False
    refunded: int = 0

    def describe(self, keys: Keys) -> dict[str, Any]:
        """The transaction as queries and notifications show it."""
        shown: dict[str, Any] = {
            "appid": keys.app_id,
            "mchid": keys.mchid,
            "out_trade_no": self.out_trade_no,
            "trade_state": self.trade_state,
            "trade_state_desc": STATE_TEXTS[self.trade_state],
            "payer": {"openid": self.openid},
            "amount": {"total": self.total, "currency": "CNY"},
        }
        if self.attach is not None:
            shown["attach"] = self.attach
        if self.trade_state == "SUCCESS":
            shown["transaction_id"] = self.transaction_id
            shown["trade_type"] = "JSAPI"
            shown["bank_type"] = "OTHERS"
            shown["success_time"] = self.success_time
            shown["amount"] |= {"payer_total": self.total, "payer_currency": "CNY"}
        return shown


class Orders:
    """Every change is written down; a restart finds all orders as they were."""

    def __init__(self, *, books: Books, clock: Clock) -> None:
        self._books = books
        self._clock = clock
        self._by_number: dict[str, Order] = {}
        self._by_prepay: dict[str, str] = {}
        self._by_transaction: dict[str, str] = {}
        for entry in books.read("orders"):
            self._file(Order(**entry["order"]))

    def all(self) -> list[Order]:
        return [self._aged(order) for order in list(self._by_number.values())]

    def get(self, out_trade_no: str) -> Order | None:
        order = self._by_number.get(out_trade_no)
        return self._aged(order) if order else None

    def by_transaction(self, transaction_id: str) -> Order | None:
        return self.get(self._by_transaction.get(transaction_id, ""))

    def by_prepay(self, prepay_id: str) -> Order | None:
        """The order that this prepay_id may still pay, for two hours."""
        order = self.get(self._by_prepay.get(prepay_id, ""))
        alive = order and order.prepay_id == prepay_id and order.prepay_until > self._clock.timestamp()
        return order if alive else None

    def unannounced(self) -> Iterator[Order]:
        """Paid, and the merchant has not acknowledged it."""
        return (each for each in self.all() if each.trade_state == "SUCCESS" and not each.notified)

    def open(self, asked: dict[str, Any]) -> Order:
        expires = asked["time_expire"] or (self._clock.now() + _DEFAULT_LIFE).astimezone(BEIJING).isoformat()
        return self._save(
            Order(
                out_trade_no=asked["out_trade_no"],
                openid=asked["openid"],
                total=asked["amount"]["total"],
                notify_url=asked["notify_url"],
                attach=asked["attach"],
                asked=asked,
                expires_at=expires,
                **self._prepay(),
            )
        )

    def renew_prepay(self, order: Order) -> Order:
        """The current prepay_id while it lives, else a fresh one."""
        if order.prepay_until > self._clock.timestamp():
            return order
        return self._save(replace(order, **self._prepay()))

    def pay(self, order: Order) -> Order:
        transaction_id = f"4200{secrets.randbelow(10**6):06}{self._clock.now():%Y%m%d}{secrets.randbelow(10**10):010}"
        paid = replace(
            order,
            trade_state="SUCCESS",
            transaction_id=transaction_id,
            success_time=self._clock.beijing(),
        )
        self._books.write(
            "transactions", {"out_trade_no": order.out_trade_no, "transaction_id": transaction_id, "total": order.total}
        )
        return self._save(paid)

    def close(self, order: Order) -> Order:
        return self._save(replace(order, trade_state="CLOSED"))

    def mark_refunded(self, out_trade_no: str, amount: int) -> None:
        """What went or goes back of it, in all."""
        self._save(replace(self._by_number[out_trade_no], refunded=amount))

    def mark_notified(self, out_trade_no: str) -> None:
        self._save(replace(self._by_number[out_trade_no], notified=True))

    def _aged(self, order: Order) -> Order:
        over = order.trade_state == "NOTPAY" and datetime.fromisoformat(order.expires_at) <= self._clock.now()
        return self.close(order) if over else order

    def _prepay(self) -> dict[str, Any]:
        moment = self._clock.now().astimezone(BEIJING)
        prepay_id = f"wx{moment:%d%H%M%S}{secrets.token_hex(13)}"
        return {"prepay_id": prepay_id, "prepay_until": int(moment.timestamp()) + PREPAY_SECONDS}

    def _file(self, order: Order) -> None:
        self._by_number[order.out_trade_no] = order
        self._by_prepay[order.prepay_id] = order.out_trade_no
        if order.transaction_id:
            self._by_transaction[order.transaction_id] = order.out_trade_no

    def _save(self, order: Order) -> Order:
        self._file(order)
        self._books.write("orders", {"order": asdict(order)})
        return order


def refuse(status: int, code: str, message: str) -> Refused:
    """An API v3 error: `{code, message}`."""
    return Refused(status, {"code": code, "message": message})


def read_order(asked: dict[str, Any], *, keys: Keys) -> dict[str, Any]:
    """The order's identity in one flat shape; raises PARAM_ERROR and APPID_MCHID_NOT_MATCH as WeChat Pay does."""
    if asked.get("appid") != keys.app_id or asked.get("mchid") != keys.mchid:
        raise refuse(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配")
    amount, payer = asked.get("amount"), asked.get("payer")
    flat = {
        **asked,
        "amount": amount if isinstance(amount, dict) else {},
        "openid": payer.get("openid") if isinstance(payer, dict) else None,
    }
    for field, good in (
        ("description", text_of(flat.get("description"), 127)),
        ("out_trade_no", isinstance(flat.get("out_trade_no"), str) and bool(_NUMBER.fullmatch(flat["out_trade_no"]))),
        ("notify_url", may_be_notified(flat.get("notify_url"))),
        ("amount", _is_amount(flat["amount"])),
        ("payer.openid", text_of(flat["openid"], 128)),
        ("attach", flat.get("attach") is None or text_of(flat["attach"], 128)),
        ("goods_tag", flat.get("goods_tag") is None or text_of(flat["goods_tag"], 32)),
        ("time_expire", flat.get("time_expire") is None or _is_moment(flat["time_expire"])),
    ):
        if not good:
            raise refuse(400, "PARAM_ERROR", f"参数错误：{field}")
    flat["amount"] = {"total": flat["amount"]["total"], "currency": flat["amount"].get("currency", "CNY")}
    return {field: flat.get(field) for field in _IDENTITY}


def text_of(value: object, longest: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= longest


def _is_amount(amount: dict[str, Any]) -> bool:
    total = amount.get("total")
    if not isinstance(total, int) or isinstance(total, bool):
        return False
    return total >= 1 and amount.get("currency", "CNY") == "CNY"


def may_be_notified(url: object) -> bool:
    """As `may_be_called`, and without a query."""
    return isinstance(url, str) and "?" not in url and "#" not in url and may_be_called(url)


def _is_moment(text: Any) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except (TypeError, ValueError):
        return False


def lives_long_enough(time_expire: str | None, clock: Clock) -> bool:
    """A new order must stay payable for a minute at least."""
    return time_expire is None or datetime.fromisoformat(time_expire) - clock.now() >= _LEAST_LIFE
