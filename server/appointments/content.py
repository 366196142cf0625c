"""The offices as a city writes them down: a YAML file, checked, then rows."""

from collections.abc import Sequence
from datetime import date, time
from importlib.resources import files
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

_Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{1,31}$")]
_Business = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,31}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hours(_Part):
    """A stretch of opening hours, in Shanghai."""

    begins: time
    ends: time

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.ends <= self.begins:
            raise ValueError("opening hours end after they begin")
        return self


class Group(_Part):
    """Businesses served at the same counters; `letter` begins the number that is called out."""

    code: _Code
    letter: Annotated[str, Field(pattern=r"^[A-Z]$")]
    name: Annotated[str, Field(min_length=1, max_length=64)]
    businesses: tuple[_Business, ...]


class Counters(_Part):
    """How many people a group takes in one slot at an office."""

    group: _Code
    counters: Annotated[int, Field(ge=1, le=100)]
    capacity: Annotated[int, Field(ge=1, le=1000)]


class ClosedDay(_Part):
    day: date
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class OfficeEntry(_Part):
    """One office of the file."""

    code: _Code
    district: Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$")]
    name: Annotated[str, Field(min_length=1, max_length=64)]
    address: Annotated[str, Field(min_length=1, max_length=200)]
    phone: Annotated[str, Field(min_length=1, max_length=32)]
    map_hint: Annotated[str, Field(max_length=200)]
    opening_hours: Annotated[tuple[Hours, ...], Field(min_length=1)]
    slot_minutes: Annotated[int, Field(ge=5, le=240)]
    days_ahead: Annotated[int, Field(ge=1, le=60)]
    counters: Annotated[tuple[Counters, ...], Field(min_length=1)]
    closed_days: tuple[ClosedDay, ...] = ()


class Offices(_Part):
    """The whole file; the groups hold for all its offices."""

    groups: Annotated[tuple[Group, ...], Field(min_length=1)]
    offices: tuple[OfficeEntry, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _different("group", [group.code for group in self.groups])
        _different("letter", [group.letter for group in self.groups])
        _different("business", [business for group in self.groups for business in group.businesses])
        _different("office", [office.code for office in self.offices])
        known = {group.code for group in self.groups}
        for office in self.offices:
            _different(f"group at {office.code}", [each.group for each in office.counters])
            if strange := {each.group for each in office.counters} - known:
                raise ValueError(f"{office.code} has counters for unknown groups: {', '.join(sorted(strange))}")
        return self

    def plan_of(self, office: OfficeEntry) -> "Plan":
        """What a row keeps of an office's working."""
        by_code = {group.code: group for group in self.groups}
        served = [ServedGroup(**by_code[each.group].model_dump(), capacity=each.capacity) for each in office.counters]
        return Plan(
            opening_hours=office.opening_hours,
            slot_minutes=office.slot_minutes,
            days_ahead=office.days_ahead,
            groups=tuple(served),
        )


class ServedGroup(Group):
    """A group at one office; `capacity` people in a slot."""

    capacity: int


class Plan(_Part):
    """How an office works: hours, slots and groups; kept with its row as JSON."""

    opening_hours: tuple[Hours, ...]
    slot_minutes: int
    days_ahead: int
    groups: tuple[ServedGroup, ...]

    def group_for(self, business_type: str) -> ServedGroup | None:
        return next((group for group in self.groups if business_type in group.businesses), None)

    def group(self, code: str) -> ServedGroup | None:
        return next((group for group in self.groups if group.code == code), None)


def read(text: str) -> Offices:
    """The offices of a YAML text; ValueError naming what is wrong."""
    data: Any = yaml.safe_load(text)
    return Offices.model_validate(data)


def shipped() -> Offices:
    """The fictional offices of the demonstration."""
    return read((files("server.appointments") / "data" / "offices.yaml").read_text(encoding="utf-8"))


def _different(what: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"the same {what} twice: {', '.join(twice)}")
