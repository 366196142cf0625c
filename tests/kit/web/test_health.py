import pytest

from kit.clock import FixedClock
from kit.db.connection import close_database
from kit.heartbeat.service import age_seconds, beat
from kit.web import health
from tests.conftest import Db
from tests.support.moments import NOON
from tests.support.serving import client, edge, served


async def test_the_process_answers_before_there_is_a_database():
    async def pending() -> list[str]:
        return []

    blueprint = health.blueprint(edge(), pending=pending, worker_name="worker:")
    async with served([blueprint]) as base_url, client(base_url) as http:
        assert (await http.get("/healthz")).json() == {"status": "ok"}


async def test_readiness_takes_database_migrations_and_a_worker(db: Db):
    clock, missing = FixedClock(NOON), ["kit.0001_initial"]

    async def pending() -> list[str]:
        return missing

    blueprint = health.blueprint(edge(clock=clock), pending=pending, worker_name="worker:")
    async with served([blueprint]) as base_url, client(base_url) as http:

        async def ready() -> tuple[int, dict[str, bool]]:
            answer = await http.get("/readyz")
            return answer.status_code, answer.json()

        answered = {"ready": False, "database": True, "migrations": False, "worker": False}
        assert await ready() == (503, answered)
        missing.clear()
        assert await ready() == (503, answered | {"migrations": True})
        await beat(name="other:1", now=clock.now())
        assert (await ready())[0] == 503
        await beat(name="worker:all:1", now=clock.now())
        assert await ready() == (200, dict.fromkeys(answered, True))
        clock.advance(seconds=29)
        assert (await ready())[0] == 200
        clock.advance(seconds=2)
        assert await ready() == (503, answered | {"migrations": True})
        await close_database()
        assert await ready() == (503, answered | {"migrations": True, "database": False})


async def test_the_youngest_beat_counts(db: Db):
    assert await age_seconds(prefix="worker:", now=NOON) is None
    clock = FixedClock(NOON)
    await beat(name="worker:1", now=clock.now())
    clock.advance(seconds=40)
    await beat(name="worker:2", now=clock.now())
    await beat(name="worker:2", now=clock.now())
    clock.advance(seconds=1.5)
    assert await age_seconds(prefix="worker:", now=clock.now()) == pytest.approx(1.5)
