"""Alipay: trades of a mini-program (JSAPI_PAY), refunds, and the notices about both."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from alipay.aop.api.domain.AlipayTradeCloseModel import AlipayTradeCloseModel
from alipay.aop.api.domain.AlipayTradeCreateModel import AlipayTradeCreateModel
from alipay.aop.api.domain.AlipayTradeFastpayRefundQueryModel import AlipayTradeFastpayRefundQueryModel
from alipay.aop.api.domain.AlipayTradeQueryModel import AlipayTradeQueryModel
from alipay.aop.api.domain.AlipayTradeRefundModel import AlipayTradeRefundModel
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradeCreateRequest import AlipayTradeCreateRequest
from alipay.aop.api.request.AlipayTradeFastpayRefundQueryRequest import AlipayTradeFastpayRefundQueryRequest
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest

from kit.clock import SHANGHAI, to_shanghai
from kit.errors import OutsideError
from kit.http.hosts import address_flaws
from kit.log import get_logger
from kit.money import from_yuan, yuan
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.errors import SYSTEM, AlipayError, Meaning
from kit.wallets.alipay.notify import AlipayNotices
from kit.wallets.errors import BadNotice
from payments.errors import NoticeRefused
from payments.ports import Account, ClientParams, NewOrder, NewRefund, Notice, UnreadableReport
from payments.refund_rules import RefundNotice, RefundReport, RefundState
from payments.rules import CURRENCY, Report, TradeState

PRODUCT = "JSAPI_PAY"
_STATES = {
    "WAIT_BUYER_PAY": TradeState.UNPAID,
    "TRADE_SUCCESS": TradeState.PAID,
    "TRADE_FINISHED": TradeState.PAID,
    "TRADE_CLOSED": TradeState.CLOSED,
}
# The refusal of a close does not say whether the trade was paid or closed before: that is asked.
_NOT_WAITING = frozenset({Meaning.TRADE_STATE, Meaning.TRADE_PAID, Meaning.TRADE_FINISHED, Meaning.TRADE_CLOSED})
_USER_ID = re.compile(r"2088\d{12}", re.ASCII)
_NOT_IN_SUBJECT = str.maketrans("/=&", "   ")
_MOMENT = "%Y-%m-%d %H:%M:%S"
_LONGEST, _LONGEST_NOTICE_ID, _LONGEST_SUBJECT = 64, 128, 256
_NO_ORDER = "0" * 32
log = get_logger("payments")


class AlipayPay:
    """Trades and refunds at one seller; `notify_url` is the public HTTPS address of our callback."""

    def __init__(self, api: AlipayApi, *, seller_id: str, notify_url: str) -> None:
        self._api = api
        self._notify_url = notify_url
        self.account = Account(merchant_id=seller_id, app_id=api.app_id)

    def check_config(self) -> list[str]:
        flaws = address_flaws("the callback's address", self._notify_url)
        if not _USER_ID.fullmatch(self.account.merchant_id):
            flaws.append("the seller's id has 16 digits and begins with 2088")
        return flaws

    async def check_connection(self) -> None:
        """Ask for a trade that cannot be: their signed refusal says that both sides' keys are right."""
        await self.query(_NO_ORDER)

    async def prepare(self, order: NewOrder) -> ClientParams:
        request = AlipayTradeCreateRequest(biz_model=self._asked(order))
        request.notify_url = self._notify_url
        answer = await self._api.call(request, answers="alipay_trade_create_response")
        trade_no = answer.get("trade_no")
        if answer.get("out_trade_no") != order.out_trade_no or not isinstance(trade_no, str) or not trade_no:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "no trade_no of this order in the answer", permanent=False)
        return {"tradeNO": trade_no}

    def _asked(self, order: NewOrder) -> AlipayTradeCreateModel:
        model = AlipayTradeCreateModel()
        model.out_trade_no = order.out_trade_no
        model.total_amount = yuan(order.amount_fen)
        model.subject = order.description.translate(_NOT_IN_SUBJECT)[:_LONGEST_SUBJECT]
        model.product_code = PRODUCT
        model.op_app_id = self.account.app_id
        model.time_expire = f"{to_shanghai(order.expires_at):{_MOMENT}}"
        if _USER_ID.fullmatch(order.payer_address):
            model.buyer_id = order.payer_address
        else:
            model.buyer_open_id = order.payer_address
        return model

    async def query(self, out_trade_no: str) -> Report | None:
        model = AlipayTradeQueryModel()
        model.out_trade_no = out_trade_no
        try:
            answer = await self._api.call(
                AlipayTradeQueryRequest(biz_model=model), answers="alipay_trade_query_response"
            )
        except AlipayError as error:
            if error.meaning is Meaning.TRADE_NOT_FOUND:
                return None
            raise
        # A query answers our own app about our own seller's trade and names neither.
        owner = {"seller_id": self.account.merchant_id, "app_id": self.account.app_id}
        try:
            return _report({**answer, **owner, "gmt_payment": answer.get("send_pay_date")})
        except UnreadableReport as error:
            raise OutsideError(SYSTEM, "BAD_ANSWER", str(error), permanent=False) from None

    async def close(self, out_trade_no: str) -> bool:
        model = AlipayTradeCloseModel()
        model.out_trade_no = out_trade_no
        try:
            await self._api.call(AlipayTradeCloseRequest(biz_model=model), answers="alipay_trade_close_response")
        except AlipayError as error:
            if error.meaning is Meaning.TRADE_NOT_FOUND:
                return True
            if error.meaning not in _NOT_WAITING:
                raise
            report = await self.query(out_trade_no)
            return report is not None and report.trade_state is TradeState.CLOSED
        return True

    async def refund(self, refund: NewRefund) -> RefundReport:
        """Only `fund_change` Y says that money moved; a repetition says N, and what became of it must be asked."""
        model = AlipayTradeRefundModel()
        model.out_trade_no = refund.out_trade_no
        model.out_request_no = refund.out_refund_no
        model.refund_amount = yuan(refund.amount_fen)
        model.refund_reason = refund.reason
        answer = await self._api.call(AlipayTradeRefundRequest(biz_model=model), answers="alipay_trade_refund_response")
        moved = answer.get("out_trade_no") == refund.out_trade_no and answer.get("fund_change") == "Y"
        return RefundReport(refund.out_refund_no, RefundState.SUCCEEDED if moved else RefundState.UNKNOWN)

    async def query_refund(self, out_trade_no: str, out_refund_no: str) -> RefundReport | None:
        """None as well for a refund that Alipay knows and has not carried out: it may be asked for again."""
        model = AlipayTradeFastpayRefundQueryModel()
        model.out_trade_no = out_trade_no
        model.out_request_no = out_refund_no
        model.query_options = ["gmt_refund_pay"]
        try:
            answer = await self._api.call(
                AlipayTradeFastpayRefundQueryRequest(biz_model=model),
                answers="alipay_trade_fastpay_refund_query_response",
            )
        except AlipayError as error:
            if error.meaning is Meaning.TRADE_NOT_FOUND:
                return None
            raise
        if answer.get("refund_status") != "REFUND_SUCCESS":
            return None
        try:
            return RefundReport(
                out_refund_no=_text(answer, "out_request_no"),
                state=RefundState.SUCCEEDED,
                amount_fen=_fen(_text(answer, "refund_amount")),
                refunded_at=_moment(_text(answer, "gmt_refund_pay", needed=False)),
            )
        except UnreadableReport as error:
            raise OutsideError(SYSTEM, "BAD_ANSWER", str(error), permanent=False) from None


class AlipayPayNotices:
    """Notices about trades; who may have sent them is checked before anything in them is looked at."""

    def __init__(self, notices: AlipayNotices) -> None:
        self._notices = notices

    def open(self, headers: Mapping[str, str], raw_body: bytes) -> Notice:  # noqa: ARG002 - the form holds all of it
        try:
            fields = self._notices.open(raw_body)
        except BadNotice as error:
            log.warning("notice_refused", system=SYSTEM, reason=error.reason)
            raise NoticeRefused from None
        notice_id = fields.get("notify_id", "")
        if not 1 <= len(notice_id) <= _LONGEST_NOTICE_ID:
            log.warning("notice_refused", system=SYSTEM, reason="no_id")
            raise NoticeRefused
        number = fields.get("out_trade_no", "")
        return Notice(id=notice_id, out_trade_no=number if len(number) <= _LONGEST else "", body=orjson.dumps(fields))

    def read(self, body: bytes) -> Report | RefundNotice:
        """A trade's state again, with what went back, is about a refund and never a second payment."""
        fields = orjson.loads(body)
        if not isinstance(fields, dict):
            raise UnreadableReport("no form")
        return _refund_notice(fields) if _tells_of_refund(fields) else _report(fields)


def _tells_of_refund(fields: Mapping[str, Any]) -> bool:
    went_back = _text(fields, "refund_fee", needed=False)
    return bool(_text(fields, "gmt_refund", needed=False)) or (bool(went_back) and _fen(went_back) != 0)


def _refund_notice(fields: Mapping[str, Any]) -> RefundNotice:
    """`refund_fee` is what has gone back of the trade in all, so this refund's own amount is not said."""
    return RefundNotice(
        out_trade_no=_text(fields, "out_trade_no"),
        out_refund_no=_text(fields, "out_biz_no", needed=False),
        merchant_id=_text(fields, "seller_id"),
        app_id=_text(fields, "app_id"),
        total_fen=_fen(_text(fields, "total_amount")),
    )


def _report(fields: Mapping[str, Any]) -> Report:
    """A trade as queries and notices show it; one that was paid and is closed has been given back."""
    state = _STATES.get(_text(fields, "trade_status"), TradeState.OTHER)
    paid_at = _moment(_text(fields, "gmt_payment", needed=False))
    if state is TradeState.CLOSED and paid_at is not None:
        state = TradeState.REFUNDED
    return Report(
        out_trade_no=_text(fields, "out_trade_no"),
        trade_state=state,
        merchant_id=_text(fields, "seller_id"),
        app_id=_text(fields, "app_id"),
        amount_fen=_fen(_text(fields, "total_amount")),
        currency=_text(fields, "trans_currency", needed=False) or CURRENCY,
        transaction_id=_text(fields, "trade_no", needed=False),
        paid_at=paid_at,
    )


def _text(holder: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
    value = holder.get(name)
    if (value is None or value == "") and not needed:
        return ""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise UnreadableReport(f"{name} is not what we know")
    return value


def _fen(text: str) -> int:
    try:
        return from_yuan(text)
    except ValueError:
        raise UnreadableReport("an amount is not in yuan") from None


def _moment(text: str) -> datetime | None:
    """Alipay writes Beijing time without an offset, sometimes with milliseconds; None for nothing."""
    if not text:
        return None
    try:
        return datetime.strptime(text[:19], _MOMENT).replace(tzinfo=SHANGHAI).astimezone(UTC)
    except (ValueError, OverflowError):  # the calendar's first day has no time in UTC
        raise UnreadableReport("a moment that is none") from None
