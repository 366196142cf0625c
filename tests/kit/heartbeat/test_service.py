from datetime import timedelta

from kit.heartbeat.service import DEAD, age_seconds, beat, forget_dead, stop_beating
from tests.conftest import Db
from tests.support.moments import NOON


async def test_who_ends_in_good_order_is_not_counted_on(db: Db):
    await beat(name="worker:all:1", now=NOON)
    await beat(name="worker:all:2", now=NOON - timedelta(seconds=20))
    await stop_beating(name="worker:all:1")
    assert await age_seconds(prefix="worker:", now=NOON) == 20


async def test_what_dead_processes_left_is_deleted_and_nothing_of_the_living(db: Db):
    await beat(name="worker:all:1", now=NOON - DEAD - timedelta(seconds=1))
    await beat(name="worker:all:2", now=NOON - DEAD + timedelta(seconds=1))
    assert await forget_dead(now=NOON) == 1
    assert await forget_dead(now=NOON) == 0
    assert await age_seconds(prefix="worker:", now=NOON) == DEAD.total_seconds() - 1
