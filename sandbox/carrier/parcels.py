"""Parcels on their way, each with the full list of what was scanned; the carriers' own books."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sandbox.books import Books
from sandbox.clock import BEIJING, Clock

Step = Literal[
    "created",
    "collected",
    "transit",
    "arrived",
    "customs",
    "delivering",
    "locker",
    "problem",
    "refused",
    "returning",
    "returned",
    "signed",
    "cancelled",
]
SignedBy = Literal["self", "other", "locker", "unsaid"]

# kuaidi100's advanced state, SF's opcode, and what the carrier writes.
_SCANS: dict[str, tuple[str, str, str]] = {
    "created": ("101", "0", "邮件已下单，等待揽收"),
    "collected": ("103", "50", "【南京市】雨花台区政务专递营业部已收寄，揽投员：刘师傅"),
    "transit": ("1002", "30", "离开【南京邮件处理中心】，下一站【南京市江宁区】"),
    "arrived": ("1001", "31", "到达【南京市江宁区】营业部"),
    "customs": ("11", "30", "邮件清关中"),
    "delivering": ("5", "44", "正在派送，投递员：赵师傅，电话：19900000088"),
    "locker": ("501", "33", "已投至自提点，请凭取件码领取"),
    "problem": ("204", "33", "派送不成功：电话无人接听，待再次派送"),
    "refused": ("14", "33", "收件人拒收"),
    "returning": ("6", "30", "邮件退回途中"),
    "returned": ("4", "80", "退件已签收"),
    "cancelled": ("401", "0", "寄件人已撤回"),
}
_SIGNED = {
    "self": ("301", "已签收，本人签收，已核验身份证件"),
    "other": ("303", "已签收，他人代收：家人"),
    "locker": ("304", "已签收，自提点代收"),
    "unsaid": ("3", "已签收"),
}
LAST_WORDS = frozenset({"signed", "returned", "cancelled"})


@dataclass(frozen=True, slots=True)
class Scan:
    """One line: `at` in Beijing, as carriers write it."""

    at: str
    step: str
    code: str
    opcode: str
    text: str
    area: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """`scans` oldest first; `told` says whether the subscriber has acknowledged the latest list."""

    waybill: str
    company: str
    scans: tuple[Scan, ...] = ()
    callback_url: str = ""
    salt: str = ""
    status: str = "polling"
    company_before: str = ""
    told: bool = True
    queries: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


class Parcels:
    """Every parcel anybody has asked about or scanned; they outlive a restart."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books = books
        self._clock = clock
        self._by_waybill: dict[str, Parcel] = {}
        for entry in books.read("parcels"):
            given = entry["parcel"]
            parcel = Parcel(**{**given, "scans": tuple(Scan(**scan) for scan in given["scans"])})
            self._by_waybill[parcel.waybill] = parcel

    def all(self) -> list[Parcel]:
        return list(self._by_waybill.values())

    def get(self, waybill: str) -> Parcel | None:
        return self._by_waybill.get(waybill)

    def change(self, waybill: str, **changes: Any) -> Parcel:
        """A parcel that nobody has heard of is there from now on, with EMS unless said otherwise."""
        known = self._by_waybill.get(waybill) or Parcel(waybill=waybill, company="ems")
        changed = replace(known, **changes)
        self._by_waybill[waybill] = changed
        self._books.write("parcels", {"parcel": asdict(changed)})
        return changed

    def scan(
        self, waybill: str, step: Step, *, signed_by: SignedBy, text: str | None, area: str, seconds_ago: float
    ) -> Parcel:
        """One more line; a late one (`seconds_ago`) takes its place among the others."""
        known = self.get(waybill)
        scans = known.scans if known else ()
        code, opcode, said = _SCANS.get(step, ("", "80", ""))
        if step == "signed":
            code, said = _SIGNED[signed_by]
        at = self._moment(scans, seconds_ago)
        fresh = Scan(at=at, step=step, code=code, opcode=opcode, text=text or said, area=area)
        status = "shutdown" if step in LAST_WORDS else "polling"
        return self.change(
            waybill, scans=tuple(sorted((*scans, fresh), key=lambda scan: scan.at)), status=status, told=False
        )

    def _moment(self, scans: tuple[Scan, ...], seconds_ago: float) -> str:
        """Whole seconds, and no two alike: their order is all that a reader has."""
        at = self._clock.now().astimezone(BEIJING).replace(microsecond=0, tzinfo=None) - timedelta(seconds=seconds_ago)
        taken = {scan.at for scan in scans}
        if not seconds_ago and scans:
            at = max(at, datetime.fromisoformat(scans[-1].at))
        while str(at) in taken:
            at += timedelta(seconds=1)
        return str(at)
