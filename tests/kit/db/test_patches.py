import asyncio
import gc
import random

import pytest
import tortoise

from kit.db import execute, fetch_one, patches, transaction
from kit.db.connection import close_database, open_database
from kit.heartbeat.service import beat
from tests.conftest import Db
from tests.support.moments import NOON


def test_the_patch_is_for_the_version_installed():
    assert tortoise.__version__.startswith(patches.PATCHED_FOR + ".")


async def _write_slowly(name: str) -> None:
    async with transaction():
        await beat(name=name, now=NOON)
        await asyncio.sleep(0.001)
        await fetch_one("SELECT COUNT(*) AS n FROM kit_heartbeat")


async def test_500_cancelled_transactions_leak_no_connection(db: Db):
    dice = random.Random(7)  # noqa: S311 - moments, not secrets
    for number in range(500):
        task = asyncio.create_task(_write_slowly(f"w{number % 20}"))
        await asyncio.sleep(dice.random() * 0.004)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(asyncio.gather(*(_write_slowly(f"after{n}") for n in range(40))), timeout=60)
    row = await fetch_one("SELECT COUNT(*) AS n FROM kit_heartbeat WHERE name LIKE 'after%'")
    assert row == {"n": 40}


async def test_a_first_use_that_is_cut_off_leaves_no_connection_open(db: Db):
    dice = random.Random(3)  # noqa: S311 - moments, not secrets
    for _ in range(40):
        await close_database()
        await open_database(db.connection, {"kit": ["kit.heartbeat.models"]})
        tasks = [asyncio.create_task(_write_slowly(f"w{number}")) for number in range(4)]
        await asyncio.sleep(dice.random() * 0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    gc.collect()  # a connection forgotten open warns here, and warnings are errors
    await asyncio.wait_for(_write_slowly("after"), timeout=60)


async def _fail_half_way() -> None:
    async with transaction():
        await beat(name="gone", now=NOON)
        raise RuntimeError("stop")


async def test_a_failed_transaction_writes_nothing(db: Db):
    with pytest.raises(RuntimeError, match="stop"):
        await _fail_half_way()
    assert await fetch_one("SELECT name FROM kit_heartbeat") is None


async def test_nesting_is_refused(db: Db):
    async with transaction():
        with pytest.raises(RuntimeError, match="already open"):
            async with transaction():
                pass


async def test_an_update_answers_the_rows_it_matched(db: Db):
    await beat(name="same", now=NOON)
    assert await execute("UPDATE kit_heartbeat SET at = ? WHERE name = ?", [NOON, "same"]) == 1
