"""alipay.data.dataservice.bill.downloadurl.query and the download: a zip of two GBK files, details and summary."""

import io
import re
import secrets
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sanic import Request

from sandbox.alipay.gateway import Call
from sandbox.alipay.money import yuan
from sandbox.alipay.refusals import failed
from sandbox.alipay.trades import Trades, read, written
from sandbox.answers import Answer, Refused
from sandbox.bill_changes import BillChanges
from sandbox.books import Books
from sandbox.clock import BEIJING, Clock
from sandbox.credentials import Keys

LINK_SECONDS = 30
_READY_HOUR, _MONTH_READY_DAY = 10, 5
_FEE_PER_MILLE = 6
_DAY, _MONTH = re.compile(r"\d{4}-\d{2}-\d{2}"), re.compile(r"\d{4}-\d{2}")
_RULE = "-" * 40
_DETAIL_COLUMNS = (
    *("支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号", "门店名称", "操作员"),
    *("终端号", "对方账户", "订单金额（元）", "商家实收（元）", "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）"),
    *(
        "商家优惠（元）",
        "券核销金额（元）",
        "券名称",
        "商家红包消费金额（元）",
        "卡消费金额（元）",
        "退款批次号/请求号",
    ),
    *("服务费（元）", "分润（元）", "备注"),
)
_SUMMARY_COLUMNS = (
    *(
        "门店编号",
        "门店名称",
        "交易订单总笔数",
        "退款订单总笔数",
        "订单金额（元）",
        "商家实收（元）",
        "支付宝优惠（元）",
    ),
    *("商家优惠（元）", "卡消费金额（元）", "服务费（元）", "分润（元）", "实收净额（元）"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row; `amount` in fen, positive; `out_request_no` is set for refunds only; `at` in Beijing."""

    trade_no: str
    out_trade_no: str
    subject: str
    created_at: str
    at: str
    amount: int
    out_request_no: str = ""

    @property
    def signed(self) -> int:
        return -self.amount if self.out_request_no else self.amount

    @property
    def fee(self) -> int:
        """0.6 %, half upwards; negative is what Alipay keeps, a refund brings it back."""
        kept = (self.amount * _FEE_PER_MILLE + 500) // 1000
        return kept if self.out_request_no else -kept


class Billing:
    def __init__(self, *, keys: Keys, clock: Clock, books: Books, trades: Trades) -> None:
        self._keys = keys
        self._clock = clock
        self._trades = trades
        self._links: dict[str, tuple[str, int]] = {}
        self.changes = BillChanges(books, "alipay_bill_changes")

    def link(self, call: Call) -> dict[str, Any]:
        """A trade bill's address, good once and for 30 seconds; a day without business has an empty bill."""
        period = str(call.biz.get("bill_date"))
        if call.biz.get("bill_type") != "trade":
            raise failed("isv.invalid-arguments", "参数有误：bill_type")
        if self._clock.now() < _ready_at(period):
            raise failed("isp.bill_not_exist", "账单不存在")
        token = secrets.token_urlsafe(24)
        self._links[token] = (period, self._clock.timestamp() + LINK_SECONDS)
        return {"bill_download_url": f"{call.base_url}/alipay/bills/{token}"}

    def download(self, request: Request) -> Answer:
        """GET /alipay/bills/{token}."""
        period, until = self._links.pop(request.match_info["token"], ("", 0))
        if until <= self._clock.timestamp():
            raise Refused(404, {"error": "下载地址已失效"})
        return Answer(200, None, self.packed(period, self._lines(period)), "application/zip")

    def _lines(self, period: str) -> list[Line]:
        told = [Line(**row) for row in self.changes.added]
        told += [line for line in self._known() if not self.changes.omits(line.out_request_no or line.out_trade_no)]
        return sorted((line for line in told if line.at.startswith(period)), key=lambda line: line.at)

    def _known(self) -> Iterator[Line]:
        for trade in self._trades.all():
            if trade.paid_at is None:
                continue
            common = {
                "trade_no": trade.trade_no,
                "out_trade_no": trade.out_trade_no,
                "subject": trade.subject,
                "created_at": trade.created_at,
            }
            yield Line(**common, at=trade.paid_at, amount=self.changes.amount(trade.out_trade_no, trade.total))
            for refund in trade.refunds:
                number = refund["out_request_no"]
                amount = self.changes.amount(number, refund["amount"])
                yield Line(**common, at=refund["at"], amount=amount, out_request_no=number)

    def packed(self, period: str, lines: list[Line]) -> bytes:
        """The zip of a bill of these lines."""
        name = f"{self._keys.alipay_seller_id}0156_{period.replace('-', '')}_业务明细"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for suffix, text in (("", self._details(period, lines)), ("(汇总)", self._summary(period, lines))):
                archive.writestr(f"{name}{suffix}.csv", text.encode("gbk", "replace"))
        return packed.getvalue()

    def _details(self, period: str, lines: list[Line]) -> str:
        payments = [line for line in lines if not line.out_request_no]
        refunds = [line for line in lines if line.out_request_no]
        return _text(
            *self._head("支付宝业务明细查询", period),
            f"#{_RULE}业务明细列表{_RULE}",
            ",".join(_DETAIL_COLUMNS),
            *map(_detail, lines),
            f"#{_RULE}业务明细列表结束{_RULE}",
            f"#交易合计：{len(payments)}笔，商家实收共{_sum(payments)}元，商家优惠共0.00元",
            f"#退款合计：{len(refunds)}笔，商家实收退款共{_sum(refunds)}元，商家优惠退款共0.00元",
            f"#导出时间：[{self._time()}]",
        )

    def _summary(self, period: str, lines: list[Line]) -> str:
        refunds = sum(1 for line in lines if line.out_request_no)
        amount, fee = sum(line.signed for line in lines), sum(line.fee for line in lines)
        total = (
            "合计",
            "",
            str(len(lines) - refunds),
            str(refunds),
            yuan(amount),
            yuan(amount),
            "0.00",
            "0.00",
            "0.00",
        )
        return _text(
            *self._head("支付宝业务汇总查询", period),
            f"#{_RULE}业务汇总列表{_RULE}",
            ",".join(_SUMMARY_COLUMNS),
            _row((*total, yuan(fee), "0.00", yuan(amount + fee))),
            f"#{_RULE}业务汇总列表结束{_RULE}",
            f"#导出时间：[{self._time()}]",
        )

    def _head(self, title: str, period: str) -> tuple[str, ...]:
        first, after = _bounds(period)
        span = f"#起始日期：[{written(first)}]   终止日期：[{written(after)}]"
        return (f"#{title}", f"#账号：[{self._keys.alipay_seller_id}0156]", span)

    def _time(self) -> str:
        return written(self._clock.now())


def _detail(line: Line) -> str:
    kind = "退款" if line.out_request_no else "交易"
    numbers = (line.trade_no, line.out_trade_no, kind, line.subject, line.created_at, line.at)
    amounts = (yuan(line.signed), yuan(line.signed), "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00")
    return _row((*numbers, "", "", "", "", "", *amounts, line.out_request_no, yuan(line.fee), "0.00", ""))


def _row(cells: Iterable[str]) -> str:
    """Every cell is padded with a tab, so that spreadsheets leave long numbers alone."""
    return ",".join(f"{cell.replace(',', '，')}\t" for cell in cells)


def _text(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def _sum(lines: list[Line]) -> str:
    return yuan(sum(line.signed for line in lines))


def _bounds(period: str) -> tuple[datetime, datetime]:
    """From when until when the bill of a day or month reaches; raises the interface's refusal for anything else."""
    if not (_DAY.fullmatch(period) or _MONTH.fullmatch(period)):
        raise failed("isv.invalid-arguments", "参数有误：bill_date")
    try:
        first = read(f"{period} 00:00:00" if _DAY.fullmatch(period) else f"{period}-01 00:00:00")
    except ValueError:  # the 31st of a month that has none
        raise failed("isv.invalid-arguments", "参数有误：bill_date") from None
    if _DAY.fullmatch(period):
        return first, first + timedelta(days=1)
    return first, (first.astimezone(BEIJING) + timedelta(days=31)).replace(day=1).astimezone(UTC)


def _ready_at(period: str) -> datetime:
    """A day's bill at 10:00 of the next day, a month's on the 5th of the next month."""
    after = _bounds(period)[1]
    extra = timedelta(hours=_READY_HOUR) if _DAY.fullmatch(period) else timedelta(days=_MONTH_READY_DAY - 1)
    return after + extra
