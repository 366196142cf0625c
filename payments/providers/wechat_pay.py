"""WeChat Pay v3, JSAPI: orders from a mini-program, refunds, and the notices about both."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from kit.clock import rfc3339
from kit.errors import OutsideError
from kit.http.hosts import address_flaws
from kit.log import get_logger
from kit.wallets.errors import BadNotice
from kit.wallets.wechat.pay.callback import PayNotices
from kit.wallets.wechat.pay.client import PayTransport, checked_number
from kit.wallets.wechat.pay.errors import SYSTEM
from kit.wallets.wechat.pay.signing import MerchantSigner
from payments.errors import NoticeRefused
from payments.ports import Account, ClientParams, NewOrder, NewRefund, Notice, UnreadableReport
from payments.refund_rules import RefundNotice, RefundReport, RefundState
from payments.rules import CURRENCY, Report, TradeState

_ORDERS = "/v3/pay/transactions"
_REFUNDS = "/v3/refund/domestic/refunds"
_UNKNOWN_ORDER = frozenset({"ORDER_NOT_EXIST", "NOT_FOUND", "RESOURCE_NOT_EXISTS"})
_CLOSED_ALREADY = _UNKNOWN_ORDER | {"ORDER_CLOSED"}
# The order was paid or is being paid; INVALID_REQUEST is what the platform answers where it gives no better word.
_CANNOT_CLOSE = frozenset({"ORDER_PAID", "USER_PAYING", "INVALID_REQUEST", "TRADE_ERROR"})
_STATES = {
    "SUCCESS": TradeState.PAID,
    "NOTPAY": TradeState.UNPAID,
    "USERPAYING": TradeState.UNPAID,
    "PAYERROR": TradeState.UNPAID,
    "CLOSED": TradeState.CLOSED,
    "REVOKED": TradeState.CLOSED,
    "REFUND": TradeState.REFUNDED,
}
_REFUND_STATES = {
    "SUCCESS": RefundState.SUCCEEDED,
    "CLOSED": RefundState.CLOSED,
    "PROCESSING": RefundState.PROCESSING,
    "ABNORMAL": RefundState.ABNORMAL,
}
_UNKNOWN_REFUND = frozenset({"RESOURCE_NOT_EXISTS", "NOT_FOUND", "REFUND_NOT_EXIST"})
_LONGEST = 64
_LONGEST_REASON = 80
_MOST_FEN = 10**15
_NO_ORDER = "0" * 32
log = get_logger("payments")


class WechatPay:
    """Orders and refunds at one merchant; `notify_url` is the public HTTPS address of our callback, without a query."""

    def __init__(self, transport: PayTransport, signer: MerchantSigner, *, app_id: str, notify_url: str) -> None:
        self._transport = transport
        self._signer = signer
        self._notify_url = notify_url
        self.account = Account(merchant_id=signer.mchid, app_id=app_id)

    def check_config(self) -> list[str]:
        flaws = address_flaws("the callback's address", self._notify_url)
        if not self.account.merchant_id.isdecimal():
            flaws.append("the merchant number has digits only")
        return flaws

    async def check_connection(self) -> None:
        """Ask for an order that cannot be: their signed refusal says that both sides' keys are right."""
        await self.query(_NO_ORDER)

    async def prepare(self, order: NewOrder) -> ClientParams:
        _, answer = await self._transport.post(f"{_ORDERS}/jsapi", self._asked(order))
        prepay_id = answer.get("prepay_id")
        if not isinstance(prepay_id, str) or not prepay_id:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "no prepay_id in the answer", permanent=False)
        app_id = self.account.app_id
        return {"appId": app_id, **self._signer.client_params(app_id, prepay_id)}

    def _asked(self, order: NewOrder) -> dict[str, Any]:
        return {
            "appid": self.account.app_id,
            "mchid": self.account.merchant_id,
            "description": order.description,
            "out_trade_no": checked_number(order.out_trade_no),
            "time_expire": rfc3339(order.expires_at),
            "notify_url": self._notify_url,
            "amount": {"total": order.amount_fen, "currency": CURRENCY},
            "payer": {"openid": order.payer_address},
        }

    async def query(self, out_trade_no: str) -> Report | None:
        path = f"{_ORDERS}/out-trade-no/{checked_number(out_trade_no)}"
        try:
            _, answer = await self._transport.get(path, params={"mchid": self.account.merchant_id})
        except OutsideError as error:
            if error.code in _UNKNOWN_ORDER:
                return None
            raise
        try:
            return _report(answer)
        except UnreadableReport as error:
            raise OutsideError(SYSTEM, "BAD_ANSWER", str(error), permanent=False) from None

    async def close(self, out_trade_no: str) -> bool:
        path = f"{_ORDERS}/out-trade-no/{checked_number(out_trade_no)}/close"
        try:
            await self._transport.post(path, {"mchid": self.account.merchant_id})
        except OutsideError as error:
            if error.code in _CLOSED_ALREADY:
                return True
            if error.code in _CANNOT_CLOSE:
                return False
            raise
        return True

    async def refund(self, refund: NewRefund) -> RefundReport:
        """The same number again answers what became of it: money goes back once."""
        asked = {
            "out_trade_no": checked_number(refund.out_trade_no),
            "out_refund_no": checked_number(refund.out_refund_no),
            "reason": refund.reason[:_LONGEST_REASON],
            "notify_url": self._notify_url,
            "amount": {"refund": refund.amount_fen, "total": refund.total_fen, "currency": CURRENCY},
        }
        _, answer = await self._transport.post(_REFUNDS, asked)
        return _refunded(answer)

    async def query_refund(self, out_trade_no: str, out_refund_no: str) -> RefundReport | None:  # noqa: ARG002 - the port's
        try:
            _, answer = await self._transport.get(f"{_REFUNDS}/{checked_number(out_refund_no)}")
        except OutsideError as error:
            if error.code in _UNKNOWN_REFUND:
                return None
            raise
        return _refunded(answer)


class WechatPayNotices:
    """Notices of payments and refunds; who may have sent them is checked before anything in them is looked at."""

    def __init__(self, notices: PayNotices) -> None:
        self._notices = notices

    def open(self, headers: Mapping[str, str], raw_body: bytes) -> Notice:
        try:
            opened = self._notices.open(headers, raw_body)
        except BadNotice as error:
            log.warning("notice_refused", system=SYSTEM, reason=error.reason)
            raise NoticeRefused from None
        resource = opened["resource"]
        number = resource.get("out_trade_no")
        return Notice(
            id=opened["id"],
            out_trade_no=number if isinstance(number, str) and len(number) <= _LONGEST else "",
            body=orjson.dumps(resource),
        )

    def read(self, body: bytes) -> Report | RefundNotice:
        opened = orjson.loads(body)
        if not isinstance(opened, dict):
            raise UnreadableReport("no object")
        return _refund_notice(opened) if "out_refund_no" in opened else _report(opened)


def _report(transaction: Mapping[str, Any]) -> Report:
    """A transaction as queries and notices show it; the amount and the time are there once it is paid."""
    amount = _amount(transaction)
    success_time = _text(transaction, "success_time", needed=False)
    return Report(
        out_trade_no=_text(transaction, "out_trade_no"),
        trade_state=_STATES.get(_text(transaction, "trade_state"), TradeState.OTHER),
        merchant_id=_text(transaction, "mchid"),
        app_id=_text(transaction, "appid"),
        amount_fen=_fen(amount, "total"),
        currency=_text(amount, "currency", needed=False),
        transaction_id=_text(transaction, "transaction_id", needed=False),
        paid_at=_moment(success_time) if success_time else None,
    )


def _refunded(answer: Mapping[str, Any]) -> RefundReport:
    """A refund as asking for it and asking about it show it; a word that we do not know is no end."""
    try:
        success_time = _text(answer, "success_time", needed=False)
        return RefundReport(
            out_refund_no=_text(answer, "out_refund_no"),
            state=_REFUND_STATES.get(_text(answer, "status"), RefundState.UNKNOWN),
            amount_fen=_fen(_amount(answer), "refund"),
            refund_id=_text(answer, "refund_id", needed=False),
            refunded_at=_moment(success_time) if success_time else None,
        )
    except UnreadableReport as error:
        raise OutsideError(SYSTEM, "BAD_ANSWER", str(error), permanent=False) from None


def _refund_notice(opened: Mapping[str, Any]) -> RefundNotice:
    """Refund notices name the merchant and no app."""
    amount = _amount(opened)
    return RefundNotice(
        out_trade_no=_text(opened, "out_trade_no"),
        out_refund_no=_text(opened, "out_refund_no"),
        merchant_id=_text(opened, "mchid"),
        app_id="",
        amount_fen=_fen(amount, "refund"),
        total_fen=_fen(amount, "total"),
    )


def _amount(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    amount = holder.get("amount")
    return amount if isinstance(amount, dict) else {}


def _fen(amount: Mapping[str, Any], name: str) -> int | None:
    """None as well for what no row could hold: it is no amount of ours, and must not stop the notice behind it."""
    value = amount.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST_FEN else None


def _text(holder: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
    value = holder.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST or (needed and not value):
        raise UnreadableReport(f"{name} is not what we know")
    return value


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the calendar's first day has no time in UTC
        raise UnreadableReport("success_time is no moment") from None
    if moment.tzinfo is None:
        raise UnreadableReport("success_time has no zone")
    return in_utc
