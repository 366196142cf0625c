from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from kit.words import Worded
from server.registry import errors
from server.registry.package import Party
from server.terms.codes import CoOwnership, HolderType, PartyRole
from server.terms.share import Share, sum_to_one


class CaseState(Worded):
    """`received` waits for an officer's decision; `accepted` runs on its tracks until it is entered."""

    RECEIVED = "received", "待受理"
    CORRECTION_ASKED = "correction_asked", "待补正"
    ACCEPTED = "accepted", "已受理"
    ENTERED = "entered", "已登簿"
    REFUSED = "refused", "不予受理或者不予登记"
    WITHDRAWN = "withdrawn", "已撤回"


class RightState(StrEnum):
    CURRENT = "current"
    HISTORY = "history"


class MessageState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Blocker:
    """An open track that holds up a gate, with the stable code and the sentence of the refusal."""

    track: str
    code: str
    sentence: str


REVIEW, TAX, FEE = "review", "tax", "fee"
NOT_STARTED, OPEN, DONE, FAILED = "not_started", "open", "done", "failed"

_DECIDABLE = frozenset({CaseState.RECEIVED})
ALLOWED: Mapping[str, frozenset[CaseState]] = {
    "acceptance": _DECIDABLE,
    "correction": _DECIDABLE,
    "refusal": frozenset({CaseState.RECEIVED, CaseState.CORRECTION_ASKED, CaseState.ACCEPTED}),
    "review": frozenset({CaseState.ACCEPTED}),
    "entry": frozenset({CaseState.ACCEPTED}),
    "withdrawal": frozenset({CaseState.RECEIVED, CaseState.CORRECTION_ASKED, CaseState.ACCEPTED}),
}
_TRACK_ERRORS: Mapping[str, type[errors.TrackOpen]] = {
    error.code: error for error in (errors.TaxNotCleared, errors.ReviewNotPassed, errors.FeeNotSettled)
}
_TRACK_TEXTS = {
    NOT_STARTED: "未开始",
    OPEN: "办理中",
    DONE: "已办结",
    "waived": "无需办理",
    FAILED: "未通过",
}


def check_state(action: str, state: str) -> None:
    """CASE_STATE_WRONG unless a case in this state may take the step."""
    if state not in ALLOWED[action]:
        raise errors.CaseStateWrong(f"办件状态为“{state_text(state)}”，不能办理这一步，请刷新后再看")


def step_of(state: str, *, review: str | None) -> Literal["acceptance", "review"] | None:
    """The step whose decision is next and takes an opinion; `review` is the state of that track."""
    if state == CaseState.RECEIVED:
        return "acceptance"
    return "review" if state == CaseState.ACCEPTED and review in {OPEN, FAILED} else None


def check_version(given: int | None, current: int) -> None:
    """CASE_STALE when the officer looked at another version; nothing is checked without one."""
    if given is not None and given != current:
        raise errors.CaseStale


def check_unblocked(blockers: Sequence[Blocker]) -> None:
    """Refuse with the first blocker's own code, naming every track that is waited for."""
    if not blockers:
        return
    first = blockers[0]
    error = _TRACK_ERRORS.get(first.code, errors.TrackOpen)
    raise error(first.sentence, extra={"waits_for": [blocker.track for blocker in blockers]})


def right_holders(parties: Sequence[Party]) -> tuple[Party, ...]:
    """Those who will hold the right (权利人)."""
    return tuple(party for party in parties if party.role == PartyRole.RIGHT_HOLDER)


def obligors(parties: Sequence[Party]) -> tuple[Party, ...]:
    """Those who give the right up (义务人)."""
    return tuple(party for party in parties if party.role == PartyRole.OBLIGOR)


def co_ownership(holders: Sequence[Party]) -> CoOwnership:
    """How they will own it; SHARES_WRONG for nobody, mixed shares, or shares that are not the whole."""
    shares = [_share(holder) for holder in holders]
    if len(holders) == 1 and shares[0] in {None, Share.whole()}:
        return CoOwnership.SOLE
    if len(holders) > 1 and all(share is None for share in shares):
        return CoOwnership.JOINT
    given = [share for share in shares if share is not None]
    if len(holders) > 1 and len(given) == len(shares) and sum_to_one(given):
        return CoOwnership.BY_SHARES
    raise errors.SharesWrong


def _share(party: Party) -> Share | None:
    if party.share_numerator is None or party.share_denominator is None:
        return None
    return Share.of(party.share_numerator, party.share_denominator)


def check_owners(*, registered: Collection[str], obligors: Collection[str]) -> None:
    """REGISTER_CHANGED unless exactly the registered owners, by blind index, dispose of the right."""
    if set(registered) != set(obligors):
        raise errors.RegisterChanged


def material_scope(application_id: str) -> str:
    """The file scope of a case's materials."""
    return f"registry-{application_id}"


def case_number(*, day: date, district: str, serial: int) -> str:
    """受理编号, such as 20260316-320114-000123."""
    return f"{day:%Y%m%d}-{district}-{serial:06d}"


def holder_type(kind: str) -> HolderType:
    return HolderType.PERSON if kind == "person" else HolderType.ENTERPRISE


def state_text(state: str) -> str:
    return CaseState(state).text


def track_text(state: str) -> str:
    return _TRACK_TEXTS[state]


def acceptance_voucher(
    *,
    business: str,
    case_number: str,
    accepted_at: str,
    promised_on: str,
    locations: Sequence[str],
    materials: Sequence[tuple[str, str]],
    officer: str,
) -> dict[str, Any]:
    """What the acceptance voucher (受理凭证) must hold; each material once, with its number of files (件数)."""
    counted: dict[tuple[str, str], int] = {}
    for material in materials:
        counted[material] = counted.get(material, 0) + 1
    return {
        "business_name": business,
        "case_number": case_number,
        "accepted_at": accepted_at,
        "promised_on": promised_on,
        "locations": list(locations),
        "materials": [{"code": code, "name": name, "copies": copies} for (code, name), copies in counted.items()],
        "officer_no": officer,
    }
