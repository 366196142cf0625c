"""GET /v3/bill/tradebill and the download: a day's payments and accepted refunds as UTF-8 CSV behind backticks."""

import gzip
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sanic import Request

from sandbox.answers import Answer
from sandbox.bill_changes import BillChanges
from sandbox.books import Books
from sandbox.clock import BEIJING, Clock
from sandbox.credentials import Keys
from sandbox.wechat.pay_orders import Orders, refuse
from sandbox.wechat.refund_books import Refunds

LINK_SECONDS = 300
_READY_HOUR = 10
_KEPT = timedelta(days=92)
_FEE_PER_MILLE = 6
_BOOK = "pay_bill_changes"
_TYPES = {"ALL": (True, True), "SUCCESS": (True, False), "REFUND": (False, True)}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
COLUMNS = (
    *("交易时间", "公众账号ID", "商户号", "特约商户号", "设备号", "微信订单号", "商户订单号", "用户标识", "交易类型"),
    *("交易状态", "付款银行", "货币种类", "应结订单金额", "代金券金额", "微信退款单号", "商户退款单号", "退款金额"),
    *("充值券退款金额", "退款类型", "退款状态", "商品名称", "商户数据包", "手续费", "费率", "订单金额", "申请退款金额"),
    "费率备注",
)
SUMMARY = (
    *("总交易单数", "应结订单总金额", "退款总金额", "充值券退款总金额", "手续费总金额", "订单总金额"),
    "申请退款总金额",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One row; `amount` in fen, positive; a refund has both of its numbers; `at` RFC 3339 in Beijing."""

    at: str
    openid: str
    transaction_id: str
    out_trade_no: str
    amount: int
    product: str = "不动产登记费"
    attach: str = ""
    refund_id: str = ""
    out_refund_no: str = ""

    @property
    def is_refund(self) -> bool:
        return bool(self.out_refund_no)

    @property
    def number(self) -> str:
        return self.out_refund_no or self.out_trade_no

    @property
    def fee(self) -> int:
        """0.6 %, half upwards; what was kept of a payment comes back with its refund."""
        kept = (self.amount * _FEE_PER_MILLE + 500) // 1000
        return -kept if self.is_refund else kept


class Bills:
    def __init__(
        self,
        *,
        keys: Keys,
        clock: Clock,
        books: Books,
        orders: Orders,
        refunds: Refunds,
        check_signature: Callable[[Request], None],
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._orders = orders
        self._refunds = refunds
        self._check_signature = check_signature
        self._links: dict[str, tuple[bytes, int]] = {}
        self.changes = BillChanges(books, _BOOK)

    def ask(self, request: Request) -> Answer:
        """Where the bill lies for five minutes, and the SHA-1 of its plain content."""
        self._check_signature(request)
        day = self._day(request.args.get("bill_date"))
        wanted = _TYPES.get(request.args.get("bill_type", "ALL"))
        tar_type = request.args.get("tar_type")
        if wanted is None or tar_type not in {None, "GZIP"}:
            raise refuse(400, "PARAM_ERROR", "参数错误：bill_type或tar_type")
        moves = [move for move in self._moves(day) if wanted[move.is_refund]]
        if not moves:
            raise refuse(400, "NO_STATEMENT_EXIST", "请求的账单文件不存在")
        content = self.written(moves)
        token = secrets.token_urlsafe(32)
        file = gzip.compress(content) if tar_type else content
        self._links[token] = (file, self._clock.timestamp() + LINK_SECONDS)
        suffix = "&tartype=gzip" if tar_type else ""
        return Answer(
            200,
            {
                "hash_type": "SHA1",
                "hash_value": hashlib.sha1(content).hexdigest(),  # noqa: S324 - what WeChat Pay uses
                "download_url": f"{_root(request)}/v3/billdownload/file?token={token}{suffix}",
            },
        )

    def download(self, request: Request) -> Answer:
        """The file; signed by who asks, but the answer carries no signature."""
        self._check_signature(request)
        file, until = self._links.get(request.args.get("token", ""), (b"", 0))
        if until <= self._clock.timestamp():
            raise refuse(400, "PARAM_ERROR", "下载地址已失效")
        return Answer(200, None, file, "application/x-gzip" if file.startswith(b"\x1f\x8b") else "text/plain")

    def add_line(self, day: date, *, out_trade_no: str, amount_fen: int, out_refund_no: str = "") -> Movement:
        """A row of which the merchant knows nothing, from now on in the bill of its day."""
        move = Movement(
            at=f"{day}T12:00:00+08:00",
            openid="oNobody",
            transaction_id=f"4200{day:%Y%m%d}{secrets.randbelow(10**16):016}",
            out_trade_no=out_trade_no,
            amount=amount_fen,
            refund_id=f"5000{secrets.randbelow(10**24):024}" if out_refund_no else "",
            out_refund_no=out_refund_no,
        )
        self.changes.add(asdict(move))
        return move

    def _day(self, text: str | None) -> date:
        try:
            day = date.fromisoformat(text or "") if _DAY.fullmatch(text or "") else None
        except ValueError:
            day = None
        now = self._clock.now().astimezone(BEIJING)
        if day is None or day >= now.date() or now.date() - day > _KEPT:
            raise refuse(400, "PARAM_ERROR", "参数错误：bill_date")
        ready = datetime(day.year, day.month, day.day, _READY_HOUR, tzinfo=BEIJING) + timedelta(days=1)
        if now < ready:
            raise refuse(400, "STATEMENT_CREATING", "账单生成中")
        return day

    def _moves(self, day: date) -> list[Movement]:
        told = [Movement(**row) for row in self.changes.added]
        told += [move for move in self._true() if not self.changes.omits(move.number)]
        return sorted((move for move in told if move.at.startswith(day.isoformat())), key=lambda move: move.at)

    def _true(self) -> Iterator[Movement]:
        for order in self._orders.all():
            if order.success_time is not None and order.transaction_id is not None:
                yield Movement(
                    at=order.success_time,
                    openid=order.openid,
                    transaction_id=order.transaction_id,
                    out_trade_no=order.out_trade_no,
                    amount=self.changes.amount(order.out_trade_no, order.total),
                    product=str(order.asked.get("description") or ""),
                    attach=order.attach or "",
                )
        for refund in self._refunds.all():
            yield Movement(
                at=refund.create_time,  # a bill has a refund when it is taken on, and says no more of it
                openid=self._payer(refund.out_trade_no),
                transaction_id=refund.transaction_id,
                out_trade_no=refund.out_trade_no,
                amount=self.changes.amount(refund.out_refund_no, refund.amount),
                refund_id=refund.refund_id,
                out_refund_no=refund.out_refund_no,
            )

    def _payer(self, out_trade_no: str) -> str:
        order = self._orders.get(out_trade_no)
        return order.openid if order else ""

    def written(self, moves: list[Movement]) -> bytes:
        """The plain content of a bill of these rows."""
        rows = [self._row(move) for move in moves]
        totals = [
            str(len(moves)),
            _sum(move.amount for move in moves if not move.is_refund),
            _sum(move.amount for move in moves if move.is_refund),
            "0.00",
            _sum(move.fee for move in moves),
            _sum(move.amount for move in moves if not move.is_refund),
            _sum(move.amount for move in moves if move.is_refund),
        ]
        lines = [",".join(COLUMNS), *rows, ",".join(SUMMARY), _behind_backticks(totals)]
        return ("\ufeff" + "".join(f"{line}\r\n" for line in lines)).encode()

    def _row(self, move: Movement) -> str:
        paid, back = (0, move.amount) if move.is_refund else (move.amount, 0)
        return _behind_backticks(
            (
                datetime.fromisoformat(move.at).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
                *(self._keys.app_id, self._keys.mchid, "0", "", move.transaction_id, move.out_trade_no, move.openid),
                *("JSAPI", "REFUND" if move.is_refund else "SUCCESS", "OTHERS", "CNY", _yuan(paid), "0.00"),
                *(move.refund_id or "0", move.out_refund_no or "0", _yuan(back), "0.00"),
                *(("ORIGINAL", "PROCESSING") if move.is_refund else ("", "")),
                *(move.product, move.attach, _yuan(move.fee), "0.60%", _yuan(paid), _yuan(back), ""),
            )
        )


def _root(request: Request) -> str:
    """Where the merchant reached us: with the path prefix that it used."""
    prefix = request.path.removesuffix("/v3/bill/tradebill")
    return f"{request.scheme}://{request.host}{prefix}"


def _behind_backticks(cells: Iterable[str]) -> str:
    return ",".join(f"`{cell}" for cell in cells)


def _sum(amounts: Iterable[int]) -> str:
    return _yuan(sum(amounts))


def _yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"
