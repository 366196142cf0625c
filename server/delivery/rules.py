"""Waybills, receivers, what carriers' codes mean, and which of two full lists of a parcel's way is the newer one."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from server.delivery.errors import DeliveryStateWrong
from server.delivery.states import Attention, PaperWay, ParcelState, Settlement, SignedBy, Watch
from server.terms.district import District
from server.terms.errors import TermError
from server.terms.text import stars, tidy

EMS, CHINA_POST, SF = "ems", "youzhengguonei", "shunfeng"
CARRIERS = {EMS: "邮政特快专递EMS", CHINA_POST: "中国邮政", SF: "顺丰速运"}
CONTENTS_CODE = "GW-01"
"""What a label says is inside (政务文件): that it is a title certificate is nobody's business on the way."""
CONTENTS_TEXT = "政务文件"
QUERY_GAP = timedelta(minutes=30)
"""The provider locks a waybill that is asked for more often."""
SILENCE = timedelta(hours=12)
"""How long a subscribed parcel may be silent before we ask ourselves."""
POLL_GAP = timedelta(hours=2)
"""How often a parcel is asked for whose carrier never tells by itself."""
GIVEN_UP_AFTER = timedelta(days=60)
_CLOCKS_DIFFER = timedelta(days=1)
_ENTERED_LATE = timedelta(days=30)
"""How long after the carrier took a parcel its waybill may be entered."""
LONGEST_TEXT, LONGEST_LOCATION, LONGEST_CODE = 500, 64, 16

_S10 = re.compile(r"[A-Z]{2}[0-9]{9}CN", re.ASCII)
_DOMESTIC = re.compile(r"[0-9]{13}", re.ASCII)
_SF = re.compile(r"SF[0-9]{10,13}|[0-9]{12}|[0-9]{15}", re.ASCII)
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_S10_SPECIAL = {10: 0, 11: 5}
# Provinces by the first two digits of GB/T 2260; Taiwan, Hong Kong and Macao have other postcodes and carriers.
_PROVINCES = re.compile(r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])")
_POSTCODE = re.compile(r"[0-9]{6}", re.ASCII)
_SHORTEST_ADDRESS, _LONGEST_ADDRESS = 5, 100
_SHOWN_ADDRESS = 6
_UNPRINTABLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))

# kuaidi100's states: the plain ones, then the advanced ones of `resultv2`.
_STATES: dict[str, ParcelState] = {
    "0": ParcelState.TRANSIT,
    "1": ParcelState.COLLECTED,
    "2": ParcelState.PROBLEM,
    "3": ParcelState.SIGNED,
    "4": ParcelState.RETURNED,
    "5": ParcelState.DELIVERING,
    "6": ParcelState.RETURNING,
    "7": ParcelState.TRANSIT,
    "8": ParcelState.CUSTOMS,
    "10": ParcelState.CUSTOMS,
    "11": ParcelState.CUSTOMS,
    "12": ParcelState.CUSTOMS,
    "13": ParcelState.PROBLEM,
    "14": ParcelState.REFUSED,
    "101": ParcelState.CREATED,
    "102": ParcelState.CREATED,
    "103": ParcelState.COLLECTED,
    "1001": ParcelState.TRANSIT,
    "1002": ParcelState.TRANSIT,
    "1003": ParcelState.TRANSIT,
    "203": ParcelState.REFUSED,
    "210": ParcelState.CANCELLED,
    "301": ParcelState.SIGNED,
    "302": ParcelState.SIGNED,
    "303": ParcelState.SIGNED,
    "304": ParcelState.SIGNED,
    "401": ParcelState.CANCELLED,
    "501": ParcelState.LOCKER,
}
_PROBLEMS = re.compile(r"2[0-9]{2}", re.ASCII)
_SIGNERS = {"301": SignedBy.SELF, "303": SignedBy.OTHER, "304": SignedBy.LOCKER}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a carrier's list: when, in its own words, where, and what it means if the carrier says."""

    at: datetime
    text: str
    raw_code: str = ""
    state: ParcelState | None = None
    location: str = ""

    @property
    def digest(self) -> str:
        """The same line heard twice has the same one."""
        return hashlib.sha256(f"{self.at.astimezone(UTC).isoformat()}\n{self.text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Report:
    """A carrier's full list of one parcel's way, and its own code for where it stands.

    `carrier` is whom the list is from; `corrects` whom it was wrongly taken to be from before, empty when nobody.
    `aborted`: the carrier gave up watching; `ended`: it watched to the end.
    """

    carrier: str
    waybill: str
    raw_state: str
    entries: tuple[Entry, ...]
    state: ParcelState | None = None
    signed_by: SignedBy | None = None
    corrects: str = ""
    aborted: bool = False
    ended: bool = False

    @property
    def newest_first(self) -> list[Entry]:
        return sorted(self.entries, key=lambda entry: (entry.at, entry.digest), reverse=True)

    @property
    def stands(self) -> ParcelState:
        """Where the parcel stands by this list; a code nobody knows is read from its newest known line."""
        if self.state is not None:
            return self.state
        known = (entry.state for entry in self.newest_first if entry.state is not None)
        return next(known, ParcelState.TRANSIT)

    @property
    def rank(self) -> str:
        """Of two lists of one carrier the one with the greater rank is the newer; the same list, the same rank.

        The one that reaches further in time is newer; then the one that knows more of the same time; then the one that
        has come to an end. What is left decides nothing but that everybody decides alike.
        """
        if not self.entries:
            return ""
        newest = max(entry.at for entry in self.entries).astimezone(UTC)
        content = "\n".join([self.raw_state, *sorted(entry.digest for entry in self.entries)])
        digest = hashlib.sha256(content.encode()).hexdigest()[:16]
        count = len({entry.digest for entry in self.entries})
        return f"{newest:%Y%m%d%H%M%S%f}.{count:05d}.{int(self.stands.final)}.{digest}"

    @property
    def begins_at(self) -> datetime | None:
        return min((entry.at for entry in self.entries), default=None)


def is_newer(report: Report, *, rank: str) -> bool:
    """Whether a list takes the place of the one of `rank`; the same list again does not."""
    return report.rank > rank


def is_ahead(report: Report, *, now: datetime) -> bool:
    """Whether a list claims what has not happened yet: it would stand above every true one until then."""
    return any(entry.at > now + _CLOCKS_DIFFER for entry in report.entries)


def is_former(report: Report, *, dispatched_at: datetime) -> bool:
    """Whether a list is over long before the parcel was sent: carriers give their numbers out again."""
    return bool(report.entries) and max(entry.at for entry in report.entries) < dispatched_at - _ENTERED_LATE


def is_shown(*, at: datetime, line_rank: str, rank: str, begins_at: datetime | None) -> bool:
    """Whether a line stands in the timeline: it is in the newest list, or from before that list begins.

    Within its time the newest list is the whole truth, so a line that the carrier took back is gone. Carriers cut off
    old lines; what they said before stays.
    """
    return line_rank == rank or (begins_at is not None and at < begins_at)


def state_of(code: str) -> ParcelState | None:
    """What a state or an advanced state of kuaidi100 means; None for one that nobody has told us."""
    if _PROBLEMS.fullmatch(code) and code not in _STATES:
        return ParcelState.PROBLEM
    return _STATES.get(code)


def signer_of(codes: Sequence[str]) -> SignedBy | None:
    """Who signed, by the first code that says so; None when the carrier does not say."""
    return next((_SIGNERS[code] for code in codes if code in _SIGNERS), None)


def attention_of(state: ParcelState, signed_by: SignedBy | None) -> Attention | None:
    """Whether staff should look: the certificate goes into its holder's own hands (邮政“政务专递”, checked by ID)."""
    if state is ParcelState.SIGNED:
        if signed_by is SignedBy.SELF:
            return None
        return Attention.SIGNER_UNKNOWN if signed_by is None else Attention.SIGNED_BY_OTHER
    if state is ParcelState.PROBLEM:
        return Attention.PROBLEM
    if state in {ParcelState.REFUSED, ParcelState.RETURNING, ParcelState.RETURNED, ParcelState.CANCELLED}:
        return Attention.NOT_TAKEN
    return None


def keeps_certificate_busy(state: ParcelState) -> bool:
    """Whether the certificate's paper is asked for, on its way or delivered, so that it cannot be posted again."""
    return state not in {ParcelState.CANCELLED, ParcelState.RETURNED, ParcelState.LOST}


def paper_way(state: ParcelState, signed_by: SignedBy | None, *, dispatched: bool) -> PaperWay | None:
    """Where the paper is; None while it was never sent. Whoever signed but its holder has not handed it over yet."""
    if not dispatched:
        return None
    if state in {ParcelState.CANCELLED, ParcelState.RETURNED}:
        return PaperWay.KEPT
    if state is ParcelState.LOST:
        return PaperWay.LOST
    own = state is ParcelState.SIGNED and signed_by is SignedBy.SELF
    return PaperWay.HANDED_OVER if own else PaperWay.POSTED


_SETTLED = {
    Settlement.NOT_SENT: ParcelState.CANCELLED,
    Settlement.HANDED_OVER: ParcelState.SIGNED,
    Settlement.RETURNED: ParcelState.RETURNED,
    Settlement.LOST: ParcelState.LOST,
}


def settled(outcome: Settlement, *, state: ParcelState, dispatched: bool) -> ParcelState:
    """The state that a finding of staff leads to; DELIVERY_STATE_WRONG where it cannot be.

    What was never sent can only not be sent. A paper that came back, or was lost and found, may be handed over at the
    counter still; one that is back cannot get lost on the way.
    """
    sent = dispatched and not (state is ParcelState.RETURNED and outcome in {Settlement.RETURNED, Settlement.LOST})
    possible = state is ParcelState.REQUESTED if outcome is Settlement.NOT_SENT else sent
    if not possible:
        raise DeliveryStateWrong
    return _SETTLED[outcome]


def is_news(report: Report, *, settled_at: datetime | None) -> bool:
    """Whether a list tells of something later than what staff found out."""
    return settled_at is None or any(entry.at > settled_at for entry in report.entries)


def look_after(watch: Watch) -> timedelta:
    """How long to wait before a parcel is looked at again."""
    return SILENCE if watch in {Watch.PUSHED, Watch.ENDED} else POLL_GAP


def wait_before_query(
    watch: Watch, *, heard_at: datetime | None, queried_at: datetime | None, now: datetime
) -> timedelta:
    """How long a parcel must not be asked for yet; zero when it may be asked for now."""
    quiet = SILENCE if watch is Watch.PUSHED else QUERY_GAP
    until = [moment + quiet for moment in (heard_at,) if moment is not None]
    until += [moment + QUERY_GAP for moment in (queried_at,) if moment is not None]
    return max((moment - now for moment in until if moment > now), default=timedelta())


def given_up(dispatched_at: datetime, *, now: datetime) -> bool:
    """Whether a parcel has been on its way for so long that asking helps nobody any more."""
    return now - dispatched_at > GIVEN_UP_AFTER


def waybill(carrier: str, text: str) -> str:
    """A waybill number in its one spelling; TermError WAYBILL_INVALID, CARRIER_UNKNOWN.

    EMS: S10 (UPU) with its check digit, such as EK123456785CN, or 13 digits.
    """
    if carrier not in CARRIERS:
        raise TermError("CARRIER_UNKNOWN", "请选择寄送的快递公司。")
    number = tidy(text).replace("-", "")
    fits = _SF.fullmatch(number) is not None if carrier == SF else _is_postal(number)
    if not fits:
        raise TermError("WAYBILL_INVALID", "运单号不对，请照面单重新录入。")
    return number


def _is_postal(number: str) -> bool:
    if _DOMESTIC.fullmatch(number):
        return True
    if not _S10.fullmatch(number):
        return False
    weighed = sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, number[2:10], strict=True))
    check = 11 - weighed % 11
    return int(number[10]) == _S10_SPECIAL.get(check, check)


def district(text: str) -> str:
    """A county-level division in a province that the post serves; TermError DISTRICT_INVALID."""
    code = District.parse(text).code
    if code.endswith("00") or not _PROVINCES.match(code):
        raise TermError("DISTRICT_INVALID", "请选择收件地址所在的区县。")
    return code


def postcode(text: str) -> str:
    """TermError POSTCODE_INVALID unless six digits."""
    code = tidy(text)
    if not _POSTCODE.fullmatch(code):
        raise TermError("POSTCODE_INVALID", "邮政编码是6位数字，请核对。")
    return code


def address(text: str) -> str:
    """A street address in one line, 5 to 100 characters; TermError ADDRESS_INVALID."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    strange = any(unicodedata.category(character) in _UNPRINTABLE for character in line)
    if strange or not _SHORTEST_ADDRESS <= len(line) <= _LONGEST_ADDRESS:
        raise TermError("ADDRESS_INVALID", "请填写详细地址（街道、小区、楼栋、门牌），5至100个字。")
    return line


def address_masked(line: str) -> str:
    return stars(line, head=min(_SHOWN_ADDRESS, len(line) // 2), tail=0)
