"""Loading content: what is shipped becomes rows that a city can add its own versions to."""

from datetime import date
from typing import Any

import orjson
from tortoise.exceptions import IntegrityError

from kit.db import transactional
from kit.ids import new_id
from kit.log import get_logger
from server.catalogue.laws import load_laws
from server.catalogue.loading import BUSINESS_FILES, read_shipped
from server.catalogue.models import CatalogueVersion
from server.catalogue.parsing import (
    load_business,
    load_calendar,
    load_conflicts,
    load_dictionaries,
    load_fees,
)
from server.catalogue.ports import Needs
from server.catalogue.sources import load_sources

BUSINESS, TABLE = "business", "table"
TABLES = {
    "fees": load_fees,
    "conflicts": load_conflicts,
    "dictionaries": load_dictionaries,
    "working_days": load_calendar,
    "sources": load_sources,
    "laws": load_laws,
}
"""The tables beside the business types, each with what reads it; their rules carry dates of their own."""

_SHIPPED_SINCE = date(2015, 3, 1)  # 不动产登记暂行条例 in force: no case is older
log = get_logger("catalogue")


async def load_shipped(needs: Needs) -> None:
    """Bring the shipped content into the database; what is there stays, what changed becomes the next version.

    ContentError when a shipped file cannot be used. A business type whose file changed under the same version
    number is left as it is, with a warning: cases were filed under it.
    """
    for name in BUSINESS_FILES:
        data = read_shipped(name)
        business = load_business(data)
        await _add_business(
            needs, business.code, business.version, business.effective_from, business.effective_to, _text(data)
        )
    for name, read in TABLES.items():
        data = read_shipped(f"{name}.yaml")
        read(data)
        await _add_table(needs, name, _text(data))
    needs.cache.clear()


def _text(data: dict[str, Any]) -> str:
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()


async def _add_business(needs: Needs, code: str, version: int, since: date, until: date | None, body: str) -> None:
    known = await CatalogueVersion.filter(kind=BUSINESS, code=code, district="", version=version).first()
    if known is None:
        await _insert(needs, kind=BUSINESS, code=code, version=version, since=since, until=until, body=body)
    elif known.body != body:
        log.warning("shipped_version_differs", kind=BUSINESS, business=code, version=version)


async def _add_table(needs: Needs, name: str, body: str) -> None:
    newest = await CatalogueVersion.filter(kind=TABLE, code=name, district="").order_by("-version").first()
    if newest is None or newest.body != body:
        version = newest.version + 1 if newest else 1
        await _insert(needs, kind=TABLE, code=name, version=version, since=_SHIPPED_SINCE, until=None, body=body)


async def _insert(
    needs: Needs, *, kind: str, code: str, version: int, since: date, until: date | None, body: str
) -> None:
    try:
        await _create(needs, kind, code, version, since, until, body)
    except IntegrityError:
        # Two processes that start together load the same; anything else that breaks a constraint is an error.
        if not await CatalogueVersion.filter(kind=kind, code=code, district="", version=version).exists():
            raise


@transactional
async def _create(needs: Needs, kind: str, code: str, version: int, since: date, until: date | None, body: str) -> None:
    await CatalogueVersion.create(
        id=new_id(),
        kind=kind,
        code=code,
        version=version,
        effective_from=since,
        effective_to=until,
        body=body,
        created_at=needs.clock.now(),
    )
