"""How the registry carries a business out, read from the catalogue: what its port asks for, in its words."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from server.catalogue import queries as catalogue
from server.catalogue import rules
from server.catalogue.content import BusinessType, ConflictTable, Effect, Gate, Standing, TrackState
from server.catalogue.ports import Needs
from server.registry import ports as registry
from server.registry.rules import Blocker
from server.terms.working_days import WorkCalendar

_GATES: Mapping[str, Gate] = {"entry": Gate.ENTRY, "certificate": Gate.CERTIFICATE}
_DECISIONS: Mapping[str, tuple[registry.Decision, Literal["passed", "rejected"] | None]] = {
    "accept": ("acceptance", None),
    "correct": ("correction", None),
    "refuse": ("refusal", None),
    "pass": ("review", "passed"),
    "reject": ("review", "rejected"),
}


@dataclass(frozen=True, slots=True)
class CatalogueProcedure:
    """Implements `registry.ports.Procedure` for one version of a business."""

    business: BusinessType
    conflicts: ConflictTable
    calendar: WorkCalendar

    @property
    def name(self) -> str:
        return self.business.name

    @property
    def entry_kind(self) -> str:
        return self.business.entry_kind

    @property
    def rec_type(self) -> str:
        return self.business.rec_type

    @property
    def tracks(self) -> Sequence[registry.TrackPlan]:
        return [registry.TrackPlan(track.code, track.name) for track in self.business.tracks]

    def material_name(self, code: str) -> str:
        material = self.business.material(code)
        return material.name if material is not None else code

    def blockers(self, states: Mapping[str, str], *, gate: registry.Gate) -> Sequence[Blocker]:
        known = {code: TrackState(state) for code, state in states.items()}
        blocking = rules.join_blockers(self.business, known, _GATES[gate])
        return [Blocker(track.code, track.blocked_code, track.blocked_text) for track in blocking]

    def opinions(self, step: Literal["acceptance", "review"]) -> Sequence[registry.Opinion]:
        return [
            registry.Opinion(each.code, *_DECISIONS[each.result], each.text)
            for each in self.business.opinions
            if each.step == step
        ]

    def unexpected(self, answers: Mapping[str, str]) -> Collection[str]:
        asked = [question for question in self.business.questions if question.code in answers]
        return {question.code for question in rules.unexpected_answers(asked, answers)}

    def promised_on(self, accepted_on: date) -> date:
        return rules.deadline(self.business, accepted_on=accepted_on, calendar=self.calendar)

    def refused_by(self, existing_kind: str, *, registered: bool) -> str | None:
        """One that would queue is refused too: the officer accepts it once the other has ended."""
        standing = Standing.REGISTERED if registered else Standing.RUNNING
        row = rules.conflict(self.conflicts, existing=existing_kind, incoming=self.entry_kind, standing=standing)
        return None if row.effect is Effect.ALLOW else row.reason


class CatalogueProcedures:
    """Implements `registry.ports.Procedures`."""

    def __init__(self, needs: Needs) -> None:
        self._needs = needs

    async def of(self, *, business_type: str, district: str, version: int) -> CatalogueProcedure:
        return CatalogueProcedure(
            business=await catalogue.business(self._needs, code=business_type, district=district, version=version),
            conflicts=await catalogue.conflicts(self._needs),
            calendar=await catalogue.working_days(self._needs),
        )
