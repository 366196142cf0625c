"""A bill held against our books: what differs, line by line. Pure; amounts in fen.

Whatever the totals differ by is exactly what the findings differ by, so that "no findings" means the same fen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from kit.words import Worded
from payments.bills.bill import BillLine, LineKind, Totals

_APART = timedelta(days=1)
"""The two sides' clocks may fall on both sides of a midnight; more than a day apart is something else."""

Key = tuple[LineKind, str]
"""What a movement is known by; see `BillLine.number`."""


class FindingKind(Worded):
    """What does not fit; each becomes a row for finance."""

    MISSING_WITH_US = "missing_with_us", "账单有收款，我方没有"
    MISSING_IN_BILL = "missing_in_bill", "我方有记录，账单没有"
    AMOUNT_DIFFERS = "amount_differs", "金额不一致"
    STATE_DIFFERS = "state_differs", "账单已入账，我方未入账"
    UNKNOWN_REFUND = "unknown_refund", "账单有退款，我方没有"
    DUPLICATE_LINE = "duplicate_line", "账单中重复出现"
    NUMBER_DIFFERS = "number_differs", "交易号相同，商户单号不一致"
    DAY_DIFFERS = "day_differs", "入账日期相差一天以上"
    SETTLED_DIFFERS = "settled_differs", "结算金额与订单金额不一致（优惠）"
    FEE_IMPLAUSIBLE = "fee_implausible", "手续费超出合理范围"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """One movement as our books have it; not `booked` when we know its number but took no money for moved under it."""

    kind: LineKind
    out_trade_no: str
    transaction_id: str
    out_refund_no: str = ""
    amount_fen: int
    day: date
    booked: bool = True
    order_id: str | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.transaction_id if self.kind is LineKind.PAYMENT else self.out_refund_no


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not fit; an amount is None where a side has none. `position` is the bill's line."""

    kind: FindingKind
    line_kind: LineKind
    out_trade_no: str
    transaction_id: str
    out_refund_no: str
    ours_fen: int | None
    theirs_fen: int | None
    position: int | None
    order_id: str | None

    @property
    def reference(self) -> str:
        """The same for the same thing, whenever the bill is matched again."""
        number = self.out_refund_no if self.line_kind is LineKind.REFUND else self.transaction_id
        nth = f":{self.position}" if self.kind is FindingKind.DUPLICATE_LINE else ""
        return f"{self.kind.value}:{self.line_kind.value}:{number or self.out_trade_no}{nth}"


@dataclass(frozen=True, slots=True)
class Books:
    """Our side: whatever a line may be about, whatever day it is of.

    `by_number` knows payments by our own number and holds numbers under which nothing was booked. `elsewhere` are
    movements that another day's bill has, and `earlier` those of them that an earlier day's has.
    """

    by_key: Mapping[Key, Ours] = field(default_factory=dict)
    by_number: Mapping[str, Ours] = field(default_factory=dict)
    elsewhere: frozenset[Key] = frozenset()
    earlier: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Matched:
    """What came of it; `ours` are the totals of what belongs to this bill, fees aside: we keep no books of them."""

    findings: tuple[Finding, ...]
    ours: Totals


def match(day: date, lines: Sequence[BillLine], books: Books) -> Matched:
    """Hold the bill of `day` against our books: every line against its record, then the day's records left over."""
    findings: list[Finding] = []
    met: dict[Key, Ours] = {}
    seen: set[Key] = set()
    for line in lines:
        key = line.key
        if key in seen or key in books.earlier:
            findings.append(_of_line(FindingKind.DUPLICATE_LINE, line, None))
            seen.add(key)
            continue
        seen.add(key)
        ours = books.by_key.get(key)
        if ours is not None and ours.booked:
            met[key] = ours
            findings += _differences(day, line, ours)
        else:
            findings.append(_unbooked(line, ours or books.by_number.get(line.out_trade_no)))
        findings += _oddities(line)
    left = [each for key, each in books.by_key.items() if each.booked and each.day == day and key not in seen]
    left = [each for each in left if each.key not in books.elsewhere]
    findings += [_left_over(each) for each in left]
    return Matched(tuple(findings), _totals([*met.values(), *left]))


def _differences(day: date, line: BillLine, ours: Ours) -> list[Finding]:
    found = []
    if line.amount_fen != ours.amount_fen:
        found.append(_of_line(FindingKind.AMOUNT_DIFFERS, line, ours))
    if line.out_trade_no != ours.out_trade_no:
        found.append(_of_line(FindingKind.NUMBER_DIFFERS, line, ours))
    # A wallet takes a refund on when it can, which may be days after it was asked.
    if line.kind is LineKind.PAYMENT and abs(ours.day - day) > _APART:
        found.append(_of_line(FindingKind.DAY_DIFFERS, line, ours))
    return found


def _unbooked(line: BillLine, known: Ours | None) -> Finding:
    """Money moved that our books do not have; `known` when at least the number is ours."""
    if line.kind is LineKind.REFUND:
        asked = known is not None and known.kind is LineKind.REFUND
        return _of_line(FindingKind.STATE_DIFFERS if asked else FindingKind.UNKNOWN_REFUND, line, known, booked=False)
    waiting = known is not None and not known.booked
    return _of_line(FindingKind.STATE_DIFFERS if waiting else FindingKind.MISSING_WITH_US, line, known, booked=False)


def _oddities(line: BillLine) -> list[Finding]:
    """What the wallet's own figures of one line say."""
    found = []
    if line.settled_fen != line.amount_fen:
        found.append(_of_figures(FindingKind.SETTLED_DIFFERS, line, line.amount_fen, line.settled_fen))
    fee = line.service_fee_fen if line.kind is LineKind.PAYMENT else -line.service_fee_fen
    if not 0 <= fee <= line.amount_fen:
        found.append(_of_figures(FindingKind.FEE_IMPLAUSIBLE, line, None, line.service_fee_fen))
    return found


def _of_line(kind: FindingKind, line: BillLine, ours: Ours | None, *, booked: bool = True) -> Finding:
    return Finding(
        kind=kind,
        line_kind=line.kind,
        out_trade_no=line.out_trade_no,
        transaction_id=line.transaction_id,
        out_refund_no=line.out_refund_no,
        ours_fen=ours.amount_fen if ours and booked else None,
        theirs_fen=line.amount_fen,
        position=line.position,
        order_id=ours.order_id if ours else None,
    )


def _of_figures(kind: FindingKind, line: BillLine, ours_fen: int | None, theirs_fen: int) -> Finding:
    return replace(_of_line(kind, line, None), ours_fen=ours_fen, theirs_fen=theirs_fen)


def _left_over(ours: Ours) -> Finding:
    return Finding(
        kind=FindingKind.MISSING_IN_BILL,
        line_kind=ours.kind,
        out_trade_no=ours.out_trade_no,
        transaction_id=ours.transaction_id,
        out_refund_no=ours.out_refund_no,
        ours_fen=ours.amount_fen,
        theirs_fen=None,
        position=None,
        order_id=ours.order_id,
    )


def _totals(records: Iterable[Ours]) -> Totals:
    found = tuple(records)
    payments = [each.amount_fen for each in found if each.kind is LineKind.PAYMENT]
    refunds = [each.amount_fen for each in found if each.kind is LineKind.REFUND]
    return Totals(
        payments=len(payments),
        payments_fen=sum(payments),
        refunds=len(refunds),
        refunds_fen=sum(refunds),
        settled_fen=sum(payments) - sum(refunds),
    )


@dataclass(frozen=True, slots=True)
class Known:
    """A discrepancy that was noted when a wallet said it; `reported_fen` None where nothing was said of an amount."""

    id: str
    out_trade_no: str
    transaction_id: str
    out_refund_no: str
    reported_fen: int | None

    def tells_of(self, finding: Finding) -> bool:
        """Whether it is about the same movement: a refund is never explained by what is known of its payment."""
        if finding.line_kind is LineKind.REFUND:
            return finding.out_refund_no in {self.out_refund_no, self.transaction_id} - {""}
        if self.transaction_id:
            return self.transaction_id == finding.transaction_id
        return self.out_trade_no == finding.out_trade_no


def explanation(finding: Finding, known: Iterable[Known]) -> str | None:
    """The id of a discrepancy that already tells of the same money; None when the finding stands alone.

    Only money that the bill has and we have not is explained so: what is missing in the bill never is.
    """
    if finding.theirs_fen is None or finding.kind in _OF_THE_BILL_ALONE:
        return None
    for each in known:
        if each.reported_fen in {None, finding.theirs_fen} and each.tells_of(finding):
            return each.id
    return None


_OF_THE_BILL_ALONE = frozenset({FindingKind.DUPLICATE_LINE, FindingKind.SETTLED_DIFFERS, FindingKind.FEE_IMPLAUSIBLE})
