from datetime import date, datetime
from typing import Any

import orjson

from kit.clock import local_date
from server.catalogue.content import BusinessType, ConflictTable, Dictionary, FeeSchedule
from server.catalogue.errors import BusinessUnknown
from server.catalogue.laws import Law, load_laws
from server.catalogue.models import CatalogueVersion
from server.catalogue.parsing import (
    load_business,
    load_calendar,
    load_conflicts,
    load_dictionaries,
    load_fees,
)
from server.catalogue.ports import Needs
from server.catalogue.rules import in_force
from server.catalogue.service import BUSINESS, TABLE
from server.catalogue.sources import Source, load_sources
from server.terms.working_days import WorkCalendar

LONGEST_CODE = 32


async def business(
    needs: Needs, *, code: str, district: str, at: datetime | None = None, version: int | None = None
) -> BusinessType:
    """A business type as it is offered in the district: a given version, or that in force at `at` (now).

    A district's own rows go before the general ones. BUSINESS_UNKNOWN.
    """
    if version is not None:
        key = ("business", code, district, version)
        return await needs.cache.get(key, lambda: _by_version(code, district, version), forever=True)
    if len(code) > LONGEST_CODE:
        raise BusinessUnknown
    day = local_date(at or needs.clock.now())
    return await needs.cache.get(("business", code, district, day), lambda: _by_day(code, district, day))


async def _by_version(code: str, district: str, version: int) -> BusinessType:
    rows = await CatalogueVersion.filter(kind=BUSINESS, code=code, district__in=["", district], version=version)
    # The district's own row, if there is one, sorts last.
    return _parsed(max(rows, key=lambda row: row.district, default=None))


async def _by_day(code: str, district: str, day: date) -> BusinessType:
    rows = await CatalogueVersion.filter(kind=BUSINESS, code=code, district__in=["", district]).order_by("version")
    own = in_force((row for row in reversed(rows) if row.district), day)
    return _parsed(own or in_force((row for row in reversed(rows) if not row.district), day))


def _parsed(row: CatalogueVersion | None) -> BusinessType:
    if row is None:
        raise BusinessUnknown
    return load_business(orjson.loads(row.body))


async def fee_rules(needs: Needs) -> FeeSchedule:
    """The fee table; its rules carry dates and districts."""
    return await needs.cache.get(("fees",), _fees)


async def _fees() -> FeeSchedule:
    return load_fees(await _table("fees"))


async def laws(needs: Needs) -> tuple[Law, ...]:
    """What the guide names as the legal basis, of every business."""
    return await needs.cache.get(("laws",), _laws)


async def _laws() -> tuple[Law, ...]:
    return load_laws(await _table("laws"))


async def working_days(needs: Needs) -> WorkCalendar:
    return await needs.cache.get(("working_days",), _calendar)


async def _calendar() -> WorkCalendar:
    return load_calendar(await _table("working_days"))


async def conflicts(needs: Needs) -> ConflictTable:
    """What a running or registered entry does to one that comes in on the same unit."""
    return await needs.cache.get(("conflicts",), _conflicts)


async def _conflicts() -> ConflictTable:
    return load_conflicts(await _table("conflicts"))


async def sources(needs: Needs) -> tuple[Source, ...]:
    """The departments whose data takes the place of a material."""
    return await needs.cache.get(("sources",), _sources)


async def _sources() -> tuple[Source, ...]:
    return load_sources(await _table("sources"))


async def dictionaries(needs: Needs) -> dict[str, Dictionary]:
    """The dictionaries by name."""
    return await needs.cache.get(("dictionaries",), _dictionaries)


async def _dictionaries() -> dict[str, Dictionary]:
    return load_dictionaries(await _table("dictionaries"))


async def _table(name: str) -> Any:
    """The newest version; LookupError when nothing has been loaded."""
    row = await CatalogueVersion.filter(kind=TABLE, code=name, district="").order_by("-version").first()
    if row is None:
        raise LookupError(f"the catalogue has no {name}: load the shipped content first")
    return orjson.loads(row.body)
