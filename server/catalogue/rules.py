from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol, TypeVar

from server.catalogue.content import (
    BusinessType,
    CaseFacts,
    ConflictRow,
    ConflictTable,
    Dictionary,
    DictionaryEntry,
    FeeCase,
    FeeLine,
    FeeLines,
    FeeSchedule,
    Gate,
    Material,
    Output,
    Question,
    Standing,
    Track,
    TrackState,
    facts_of,
)
from server.terms.codes import CoOwnership
from server.terms.working_days import WorkCalendar, add_working_days

_GATES = (Gate.ENTRY, Gate.CERTIFICATE, Gate.HANDOVER)
_FREE = FeeLines(rule_id="none", rule_name="无适用的收费项目", source="", lines=())


class Dated(Protocol):
    """Something in force from one day until before another, or for good."""

    @property
    def effective_from(self) -> date: ...
    @property
    def effective_to(self) -> date | None: ...


_Version = TypeVar("_Version", bound=Dated)


def is_in_force(version: Dated, on: date) -> bool:
    ended = version.effective_to is not None and version.effective_to <= on
    return version.effective_from <= on and not ended


def in_force(versions: Iterable[_Version], on: date) -> _Version | None:
    """The version in force on that day, the latest to begin if several are; None before the first."""
    found = [version for version in versions if is_in_force(version, on)]
    return max(found, key=lambda version: version.effective_from, default=None)


# Materials and inquiry


def required_materials(business: BusinessType, facts: CaseFacts) -> tuple[Material, ...]:
    """The materials this application must have, in the list's order, whoever brings them."""
    known = facts_of(facts)
    return tuple(material for material in business.materials if material.required.holds(known))


def questions_for(business: BusinessType, facts: CaseFacts) -> tuple[Question, ...]:
    """The questions that this application raises; each says which roles it is put to."""
    known = facts_of(facts)
    return tuple(question for question in business.questions if question.applies.holds(known))


def unexpected_answers(questions: Sequence[Question], answers: Mapping[str, str]) -> tuple[Question, ...]:
    """The questions answered otherwise than expected: an officer must look at them."""
    return tuple(
        question
        for question in questions
        if question.expected is not None and answers.get(question.code) != question.expected
    )


# Fees


def certificates_made(output: Output, *, holders: int, co_ownership: CoOwnership) -> int:
    """How many title certificates come out: one for each owner by shares, else one; proofs count as none."""
    if output is not Output.TITLE_CERTIFICATE:
        return 0
    return holders if co_ownership is CoOwnership.BY_SHARES else 1


def registration_fee(schedule: FeeSchedule, case: FeeCase, *, on: date, district: str) -> FeeLines:
    """What is charged on that day in that district; the first rule that applies decides.

    Amounts in fen. 发改价格规〔2016〕2559号, 财税〔2019〕45号, 财税〔2019〕53号.
    """
    facts = facts_of(case)
    for rule in schedule.rules:
        here = not rule.districts or district in rule.districts
        if not (here and is_in_force(rule, on) and rule.when.holds(facts)):
            continue
        extra = max(case.certificates - 1, 0)
        lines = (
            FeeLine("registration", "不动产登记费", case.items, rule.base_fen),
            FeeLine("first_certificate", "证书工本费", case.certificates - extra, rule.first_certificate_fen),
            FeeLine("extra_certificate", "增发证书工本费", extra, rule.extra_certificate_fen),
        )
        return FeeLines(rule.id, rule.name, rule.source, tuple(line for line in lines if line.amount_fen))
    return _FREE


# Tracks, conflicts and time limits


def join_blockers(
    business: BusinessType, states: Mapping[str, TrackState], gate: Gate = Gate.ENTRY
) -> tuple[Track, ...]:
    """The tracks that hold the case up at this gate, in the configured order; a track not in `states` is open.

    What holds up the entry holds up the gates after it too. Tax first, then certificate: 契税法第11条.
    """
    held = _GATES[: _GATES.index(gate) + 1]
    passed = {TrackState.DONE, TrackState.WAIVED}
    return tuple(track for track in business.tracks if track.blocks in held and states.get(track.code) not in passed)


def conflict(
    table: ConflictTable, *, existing: str, incoming: str, standing: Standing = Standing.RUNNING
) -> ConflictRow:
    """What becomes of an incoming entry where another kind already runs or stands on the unit.

    The table ends with a row for any pair, so one always matches.
    """
    return next(row for row in table.rows if row.matches(standing=standing, existing=existing, incoming=incoming))


def deadline(
    business: BusinessType, *, accepted_on: date, calendar: WorkCalendar, excluded_working_days: int = 0
) -> date:
    """The last day of the promised limit; public notice and pauses are excluded as working days.

    Day 1 is the next working day after acceptance. 不动产登记暂行条例第20条.
    """
    days = business.time_limit_working_days + excluded_working_days
    return add_working_days(accepted_on, days, calendar)


# Dictionaries


def dictionary_entry(
    dictionary: Dictionary, code: str, *, on: date, region: str | None = None
) -> DictionaryEntry | None:
    """The entry in force, a region's own before the general one; None for an unknown code."""
    rows = [entry for entry in dictionary.entries if entry.code == code]
    local = in_force((entry for entry in rows if region is not None and entry.region == region), on)
    return local or in_force((entry for entry in rows if entry.region is None), on)
