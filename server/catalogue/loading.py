"""The content shipped inside the package; the YAML files lie in `server/catalogue/data`."""

from importlib.resources import files
from typing import Any

import yaml

from server.catalogue.content import BusinessType, ConflictTable, Dictionary, FeeSchedule
from server.catalogue.parsing import (
    load_business,
    load_calendar,
    load_conflicts,
    load_dictionaries,
    load_fees,
)
from server.catalogue.sources import Source, load_sources
from server.terms.working_days import WorkCalendar

BUSINESS_FILES = ("transfer_resale.yaml",)


def read_shipped(name: str) -> dict[str, Any]:
    """The plain data of one shipped file, such as `fees.yaml`."""
    text = (files("server.catalogue") / "data" / name).read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def shipped_businesses() -> tuple[BusinessType, ...]:
    return tuple(load_business(read_shipped(name)) for name in BUSINESS_FILES)


def shipped_fees() -> FeeSchedule:
    return load_fees(read_shipped("fees.yaml"))


def shipped_conflicts() -> ConflictTable:
    return load_conflicts(read_shipped("conflicts.yaml"))


def shipped_dictionaries() -> dict[str, Dictionary]:
    return load_dictionaries(read_shipped("dictionaries.yaml"))


def shipped_sources() -> tuple[Source, ...]:
    return load_sources(read_shipped("sources.yaml"))


def shipped_calendar() -> WorkCalendar:
    return load_calendar(read_shipped("working_days.yaml"))
