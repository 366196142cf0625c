from datetime import UTC, date, datetime

import orjson
import pytest
from tortoise.exceptions import IntegrityError

from kit.clock import FixedClock
from kit.db import fetch
from kit.ids import new_id
from server.catalogue import queries, service
from server.catalogue.cache import MOST, ContentCache
from server.catalogue.errors import BusinessUnknown
from server.catalogue.loading import read_shipped
from server.catalogue.models import CatalogueVersion
from server.catalogue.ports import Needs
from tests.support.moments import NOON

CODE, HERE = "TRANSFER_RESALE", "320114"


@pytest.fixture
async def needs(db: object) -> Needs:
    made = Needs(clock=FixedClock(NOON))
    await service.load_shipped(made)
    return made


async def _add(*, version: int, since: date, district: str = "", **changes: object) -> None:
    data = read_shipped("transfer_resale.yaml")
    data.update(version=version, effective_from=since, **changes)
    await CatalogueVersion.create(
        id=new_id(),
        kind=service.BUSINESS,
        code=CODE,
        district=district,
        version=version,
        effective_from=since,
        body=orjson.dumps(data).decode(),
        created_at=NOON,
    )


async def test_what_is_shipped_is_loaded_once(needs: Needs):
    await service.load_shipped(needs)
    rows = await fetch("SELECT kind, code, version FROM catalogue_version ORDER BY kind, code")
    assert [(row["kind"], row["code"], row["version"]) for row in rows] == [
        ("business", CODE, 1),
        ("table", "conflicts", 1),
        ("table", "dictionaries", 1),
        ("table", "fees", 1),
        ("table", "laws", 1),
        ("table", "sources", 1),
        ("table", "working_days", 1),
    ]


async def test_everything_loaded_is_read_back(needs: Needs):
    business = await queries.business(needs, code=CODE, district=HERE)
    assert (business.code, business.version) == (CODE, 1)
    assert (await queries.fee_rules(needs)).rules
    assert (await queries.working_days(needs)).covers(date(2026, 5, 1))
    assert (await queries.conflicts(needs)).rows
    assert (await queries.dictionaries(needs))["right_type"].title == "权利类型"


async def test_a_changed_table_becomes_the_next_version_and_a_changed_business_does_not(needs: Needs):
    await CatalogueVersion.filter(code="fees").update(body='{"rules": []}')
    await CatalogueVersion.filter(code=CODE).update(body="{}")
    await service.load_shipped(needs)
    rows = await fetch("SELECT code, version FROM catalogue_version WHERE code IN ('fees', ?) ORDER BY version", [CODE])
    assert sorted((row["code"], row["version"]) for row in rows) == [(CODE, 1), ("fees", 1), ("fees", 2)]
    assert (await queries.fee_rules(needs)).rules


async def test_the_version_in_force_on_the_day_is_offered(needs: Needs):
    await _add(version=2, since=date(2026, 6, 1))
    assert (await queries.business(needs, code=CODE, district=HERE)).version == 1
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert (await queries.business(needs, code=CODE, district=HERE, at=summer)).version == 2
    assert (await queries.business(needs, code=CODE, district=HERE, version=1)).version == 1
    # The first moment of the day in Shanghai, still the evening before in UTC.
    midnight = datetime(2026, 5, 31, 16, 0, tzinfo=UTC)
    assert (await queries.business(needs, code=CODE, district=HERE, at=midnight)).version == 2


async def test_a_districts_own_version_goes_first_and_only_there(needs: Needs):
    await _add(version=2, since=date(2026, 1, 1), district=HERE, claim_days=30)
    await _add(version=1, since=date(2026, 1, 1), district="320105", claim_days=20)
    assert (await queries.business(needs, code=CODE, district=HERE)).claim_days == 30
    assert (await queries.business(needs, code=CODE, district="320104")).claim_days == 60
    assert (await queries.business(needs, code=CODE, district="320105", version=1)).claim_days == 20


async def test_of_two_versions_from_the_same_day_the_later_counts(needs: Needs):
    await _add(version=2, since=date(2026, 1, 1))
    assert (await queries.business(needs, code=CODE, district=HERE)).version == 2


@pytest.mark.parametrize("version", [None, 7])
async def test_what_is_not_offered_is_unknown(needs: Needs, version: int | None):
    with pytest.raises(BusinessUnknown):
        await queries.business(needs, code="WISHES" if version is None else CODE, district=HERE, version=version)


async def test_without_content_there_are_no_tables(db: object):
    with pytest.raises(LookupError):
        await queries.fee_rules(Needs(clock=FixedClock(NOON)))


async def test_two_processes_may_load_at_once(needs: Needs, monkeypatch: pytest.MonkeyPatch):
    class _Nothing:
        def order_by(self, _: str) -> "_Nothing":
            return self

        async def first(self) -> None:
            return None

    original = CatalogueVersion.filter

    def blind_at_first(**given: object) -> object:
        # The look before the insert sees nothing yet, as if the other process had not committed.
        looking = "version" not in given or given.get("kind") == service.BUSINESS
        return _Looks(original(**given)) if looking else original(**given)

    class _Looks(_Nothing):
        def __init__(self, real: object) -> None:
            self._real = real

        async def exists(self) -> bool:
            return True

    monkeypatch.setattr(CatalogueVersion, "filter", blind_at_first)
    await service.load_shipped(needs)
    monkeypatch.undo()
    assert len(await fetch("SELECT id FROM catalogue_version")) == 7


async def test_a_constraint_broken_by_anything_else_is_an_error(db: object, monkeypatch: pytest.MonkeyPatch):
    async def broken(*_: object) -> None:
        raise IntegrityError("another constraint")

    monkeypatch.setattr(service, "_create", broken)
    with pytest.raises(IntegrityError):
        await service.load_shipped(Needs(clock=FixedClock(NOON)))


async def test_a_cache_forgets_after_its_time():
    now = 0.0
    cache = ContentCache(seconds=60, timer=lambda: now)
    asked: list[str] = []

    async def find() -> str:
        asked.append("find")
        return "found"

    for moment, times in ((0.0, 1), (59.0, 1), (60.0, 2)):
        now = moment
        assert await cache.get(("a",), find) == "found"
        assert len(asked) == times
    await cache.get(("b",), find, forever=True)
    now = 10_000.0
    await cache.get(("b",), find, forever=True)
    assert len(asked) == 3
    cache.clear()
    await cache.get(("b",), find)
    assert len(asked) == 4


async def test_a_code_longer_than_any_is_unknown(needs: Needs):
    with pytest.raises(BusinessUnknown):
        await queries.business(needs, code="A" * 33, district=HERE)


async def test_a_cache_keeps_so_many_and_drops_the_one_unused_longest():
    asked: list[int] = []
    cache = ContentCache()

    async def get(place: int) -> int:
        async def find() -> int:
            asked.append(place)
            return place

        return await cache.get((place,), find)

    for place in (*range(MOST), 0, MOST):  # 0 was used again, so that 1 is the oldest
        assert await get(place) == place
    asked.clear()
    await get(0)
    assert asked == []
    await get(1)
    assert asked == [1]
