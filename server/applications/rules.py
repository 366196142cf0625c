from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from kit.errors import FieldError
from server.applications.errors import (
    AlreadySubmitted,
    InquiryIncomplete,
    MaterialsMissing,
    NotAwaitingConfirmation,
    NotEditable,
    NotReopenable,
    NotWithdrawable,
    OpenerNotAParty,
    OwnersDiffer,
    PartiesIncomplete,
    PartyRepeated,
    PaymentInProgress,
    PriceInvalid,
    SharesNotWhole,
)
from server.applications.records import Owner, PartyDraft
from server.applications.requirements import MaterialLine, QuestionLine, Requirements
from server.applications.states import Origin, State, TrackState
from server.terms.codes import CoOwnership, PartyRole
from server.terms.share import sum_to_one

DRAFT_LASTS = timedelta(days=30)
OWNER_ROLE = PartyRole.OBLIGOR
BUYER_ROLE = PartyRole.RIGHT_HOLDER

_RUNNING_AT_REGISTRY = frozenset({State.SUBMITTED, State.CORRECTION_ASKED})
_BEFORE_SUBMISSION = frozenset({State.DRAFT, State.AWAITING_CONFIRMATION})
_NOT_YET_DONE = _BEFORE_SUBMISSION | _RUNNING_AT_REGISTRY
# The registry reports reviews by their result, other tracks by their state.
_TRACK_WORDS = {"passed": TrackState.DONE, "rejected": TrackState.FAILED}


# Opening


def check_price(price_fen: int) -> None:
    if price_fen <= 0:
        raise PriceInvalid


def check_parties(parties: Sequence[PartyDraft], *, opened_by: str) -> None:
    """Nobody twice, a seller and a buyer at least, the opener among them, each side's shares a whole."""
    numbers = [party.id_number for party in parties]
    if len(set(numbers)) < len(numbers):
        raise PartyRepeated
    if {OWNER_ROLE, BUYER_ROLE} - {party.role for party in parties}:
        raise PartiesIncomplete
    if opened_by not in {party.resident_id for party in parties}:
        raise OpenerNotAParty
    for role in (OWNER_ROLE, BUYER_ROLE):
        _check_shares([party for party in parties if party.role == role])


def _check_shares(side: Sequence[PartyDraft]) -> None:
    """Either nobody names a share (owning alone or jointly), or all do and they make a whole."""
    shares = [party.share for party in side if party.share is not None]
    if shares and not (len(shares) == len(side) and sum_to_one(shares)):
        raise SharesNotWhole


def check_owners(parties: Iterable[PartyDraft], owners: Sequence[Owner], *, co_ownership: str) -> None:
    """The sellers are exactly the registered owners: 民法典第301条 asks for all of them where they own jointly.

    Where they own by shares, the shares are the registered ones too.
    """
    by_shares = co_ownership == CoOwnership.BY_SHARES

    def known(name: str, id_number: str, share: object) -> tuple[object, ...]:
        return (name, id_number, share) if by_shares else (name, id_number)

    sellers = {known(party.name, party.id_number, party.share) for party in parties if party.role == OWNER_ROLE}
    if sellers != {known(owner.name, owner.id_number, owner.share) for owner in owners}:
        raise OwnersDiffer


# Materials and inquiry


@dataclass(frozen=True, slots=True)
class Missing:
    """A required upload that is not there; `party_id` says whose."""

    code: str
    name: str
    party_id: str | None


def concerned(line: MaterialLine, parties: Sequence[str]) -> tuple[str, ...]:
    """Whom the line's department is asked about; `parties` are the ids of all, by position."""
    return tuple(parties[place] for place in line.source_parties)


def filled_slots(
    requirements: Requirements, *, parties: Sequence[str], files: Iterable[tuple[str, str | None, str]]
) -> set[tuple[str, str | None]]:
    """The (material code, party id or None) that need no upload any more; `files` are (code, party id, origin).

    A department's data takes the place of a material of the whole application once it is there about every party
    concerned: 不动产登记暂行条例第24条.
    """
    slots: set[tuple[str, str | None]] = set()
    shared: set[tuple[str, str | None]] = set()
    for code, party_id, origin in files:
        (shared if origin == Origin.SHARED else slots).add((code, party_id))
    for line in requirements.materials:
        about = concerned(line, parties)
        if line.per_party:
            slots |= {(line.code, each) for each in about if (line.code, each) in shared}
        elif about and all((line.code, each) in shared for each in about):
            slots.add((line.code, None))
    return slots


def missing_materials(
    requirements: Requirements, *, parties: Sequence[str], uploaded: Collection[tuple[str, str | None]]
) -> tuple[Missing, ...]:
    """What must still be uploaded; `uploaded` holds (material code, party id or None) of the files there."""
    missing: list[Missing] = []
    for line in requirements.materials:
        if not line.required or line.form != "uploaded":
            continue
        slots: Sequence[str | None] = parties if line.per_party else [None]
        missing += [Missing(line.code, line.name, slot) for slot in slots if (line.code, slot) not in uploaded]
    return tuple(missing)


def check_materials(missing: Sequence[Missing], names: Mapping[str, str]) -> None:
    """MATERIALS_MISSING names each; `names` holds masked names by party id."""
    if not missing:
        return
    errors = [
        FieldError(
            f"materials.{each.code}" + (f".{each.party_id}" if each.party_id else ""),
            "MATERIAL_MISSING",
            f"请上传{names.get(each.party_id or '', '')}{'的' if each.party_id else ''}“{each.name}”",
        )
        for each in missing
    ]
    raise MaterialsMissing(errors=errors)


def questions_for(requirements: Requirements, roles: Iterable[str]) -> tuple[QuestionLine, ...]:
    asked = set(roles)
    return tuple(question for question in requirements.questions if asked.intersection(question.roles))


def check_answers(questions: Sequence[QuestionLine], answers: Mapping[str, str]) -> None:
    """Every question answered with one of its choices, and nothing else; INQUIRY_INCOMPLETE names each fault."""
    errors: list[FieldError] = []
    for question in questions:
        if question.code not in answers:
            errors.append(FieldError(f"answers.{question.code}", "ANSWER_MISSING", f"请回答：{question.text}"))
        elif answers[question.code] not in {choice.code for choice in question.choices}:
            errors.append(FieldError(f"answers.{question.code}", "ANSWER_INVALID", f"请从选项中选择：{question.text}"))
    asked = {question.code for question in questions}
    errors += [
        FieldError(f"answers.{code}", "ANSWER_NOT_ASKED", "没有向您询问这一项") for code in answers if code not in asked
    ]
    if errors:
        raise InquiryIncomplete(errors=errors)


# What may be done when


def check_editable(state: State) -> None:
    if state is not State.DRAFT:
        raise NotEditable


def check_awaiting(state: State) -> None:
    if state is not State.AWAITING_CONFIRMATION:
        raise NotAwaitingConfirmation


def check_submittable(state: State, *, number: str | None) -> None:
    if state is State.AWAITING_CONFIRMATION:
        return
    if number is not None and state is not State.DRAFT:
        raise AlreadySubmitted(extra={"number": number})
    raise NotAwaitingConfirmation


def check_reopenable(state: State) -> None:
    if state not in {State.AWAITING_CONFIRMATION, State.CORRECTION_ASKED}:
        raise NotReopenable


def check_free(hold: str | None) -> None:
    """The money guard: nothing ends an application while somebody pays for it."""
    if hold is not None:
        raise PaymentInProgress


def check_withdrawable(state: State, hold: str | None) -> None:
    check_free(hold)
    if state not in _NOT_YET_DONE:
        raise NotWithdrawable


def registry_knows(state: State, number: str | None) -> bool:
    """Whether a package was sent: then the registry must hear of a withdrawal."""
    return number is not None and state in _NOT_YET_DONE


def may_expire(state: State, *, expires_at: datetime | None, hold: str | None, now: datetime) -> bool:
    return state in _BEFORE_SUBMISSION and hold is None and expires_at is not None and expires_at <= now


def has_case(state: State) -> bool:
    """Whether what the registry says of an accepted case can be recorded."""
    return state in {State.ACCEPTED, State.ENTERED, State.CERTIFICATE_MADE}


def decidable(state: State) -> bool:
    """Whether the registry may still accept or ask for a correction."""
    return state in _RUNNING_AT_REGISTRY


def refusable(state: State, number: str | None) -> bool:
    """Whether a refusal ends it: before acceptance, also while it is being corrected, and after it (不予登记)."""
    return state is State.ACCEPTED or registry_knows(state, number)


def track_state(word: str) -> TrackState:
    """The registry's word for where a track stands; ValueError for an unknown one."""
    return _TRACK_WORDS.get(word) or TrackState(word)


def fee_falls_due(requirements: Requirements, milestone: str) -> bool:
    """`milestone` is acceptance, review_passed or before_certificate."""
    return requirements.has_track("fee") and requirements.fee_due == milestone


# The claim on a unit


class ClaimStep(StrEnum):
    """What becomes of somebody's wish to claim a right."""

    TAKE = "take"
    RENEW = "renew"
    TAKE_OVER = "take_over"
    REFUSE = "refuse"


def claim_step(holder: str | None, *, application_id: str, expires_at: datetime | None, now: datetime) -> ClaimStep:
    """`holder` is the application that has the claim; one past its time may be taken over."""
    if holder is None or expires_at is None:
        return ClaimStep.TAKE
    if holder == application_id:
        return ClaimStep.RENEW
    return ClaimStep.TAKE_OVER if expires_at <= now else ClaimStep.REFUSE


# Numbers


def receipt_number(*, district: str, on: date, count: int) -> str:
    """收件编号: what we received, not yet what the registry accepted."""
    return f"SJ-{on:%Y%m%d}-{district}-{count:06d}"
