from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pymysql
import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from kit.clock import SHANGHAI
from kit.db import execute, fetch, fetch_one
from kit.db.scope import within
from kit.db.sql import as_utc
from kit.heartbeat.models import Heartbeat
from kit.heartbeat.service import beat
from tests.conftest import Db
from tests.support.moments import NOON


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "text", ["why?", "100%", "%s", "it's", 'say "?"', "`?`", "a\\b", "不动产𠮷😀", "%(x)s", "??%%"]
)
async def test_a_value_comes_back_as_it_was(db: Db, text: str):
    assert await fetch_one("SELECT ? AS text", [text]) == {"text": text}
    await beat(name=text, now=NOON)
    assert await fetch("SELECT name FROM kit_heartbeat WHERE name = ?", [text]) == [{"name": text}]


@pytest.mark.parametrize(
    ("quoted", "text"),
    [("'why?'", "why?"), ("'100%'", "100%"), ("'it''s %s ?'", "it's %s ?"), ("'%%'", "%%"), ("'?''?'", "?'?")],
)
async def test_a_quoted_text_stays_as_it_is(db: Db, quoted: str, text: str):
    assert await fetch_one(f"SELECT {quoted} AS a, ? AS b", ["x"]) == {"a": text, "b": "x"}
    assert await fetch_one(f"SELECT {quoted} AS a") == {"a": text}


async def test_percent_signs_are_wildcards_and_operators(db: Db):
    for name in ("ab", "ac", "b"):
        await beat(name=name, now=NOON)
    assert len(await fetch("SELECT name FROM kit_heartbeat WHERE name LIKE 'a%'")) == 2
    assert len(await fetch("SELECT name FROM kit_heartbeat WHERE name LIKE ? AND 7 % 4 = ?", ["a%", 3])) == 2


async def test_coded_values_and_bytes_and_nothing_are_values(db: Db):
    assert await fetch_one("SELECT ? AS a, ? AS b, ? AS c", [Colour.RED, 2**40, None]) == {
        "a": "red",
        "b": 2**40,
        "c": None,
    }


async def test_moments_compare_rightly_whoever_wrote_them(db: Db):
    moments = [NOON + timedelta(microseconds=step) for step in (-1, 0, 1, 500_000, 999_999, 1_000_000)]
    for number, moment in enumerate(moments):
        if number % 2:
            await beat(name=f"m{number}", now=moment)
        else:
            await Heartbeat.create(name=f"m{number}", at=moment)
    rows = await fetch("SELECT name, at FROM kit_heartbeat ORDER BY at")
    assert [row["name"] for row in rows] == [f"m{number}" for number in range(6)]
    assert [as_utc(row["at"]) for row in rows] == moments
    for number, moment in enumerate(moments):
        assert await fetch("SELECT name FROM kit_heartbeat WHERE at = ?", [moment]) == [{"name": f"m{number}"}]
        before = await fetch_one("SELECT COUNT(*) AS n FROM kit_heartbeat WHERE at < ?", [moment])
        assert before == {"n": number}
        assert await Heartbeat.filter(at__lt=moment).count() == number


@pytest.mark.parametrize("zone", [SHANGHAI, timezone(timedelta(hours=-5))])
async def test_a_moment_is_the_same_in_every_zone(db: Db, zone: timezone):
    await beat(name="sql", now=NOON.astimezone(zone))
    await Heartbeat.create(name="orm", at=NOON.astimezone(zone))
    rows = await fetch("SELECT at FROM kit_heartbeat WHERE at = ?", [NOON.astimezone(zone)])
    assert [as_utc(row["at"]) for row in rows] == [NOON, NOON]
    assert [row.at for row in await Heartbeat.all()] == [NOON, NOON]


async def test_a_naive_moment_is_refused(db: Db):
    naive = datetime(2026, 3, 16, 12)  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="naive"):
        await beat(name="x", now=naive)
    with pytest.raises(ValueError, match="naive"):
        await Heartbeat.filter(at__lt=naive)


def test_a_stored_moment_is_read_in_utc():
    assert as_utc("2026-03-16 04:00:00+00:00") == NOON
    assert as_utc("2026-03-16 12:00:00+08:00") == NOON
    assert as_utc(datetime(2026, 3, 16, 4)).tzinfo is UTC  # noqa: DTZ001 - as the driver gives it
    with pytest.raises(TypeError):
        as_utc(None)


async def test_an_update_counts_what_it_matched(db: Db):
    for name in ("a", "b"):
        await beat(name=name, now=NOON)
    assert await execute("UPDATE kit_heartbeat SET at = ?", [NOON]) == 2
    assert await execute("UPDATE kit_heartbeat SET at = ? WHERE name = ?", [NOON, "none"]) == 0
    assert await execute("DELETE FROM kit_heartbeat WHERE name = ?", ["a"]) == 1


async def _visible(districts: list[str] | None) -> list[str]:
    condition, values = within(districts, column="name")
    rows = await fetch(f"SELECT name FROM kit_heartbeat WHERE {condition} ORDER BY name", values)  # noqa: S608
    return [row["name"] for row in rows]


async def test_a_scope_limits_the_rows(db: Db):
    for name in ("320502", "320505", "320506"):
        await beat(name=name, now=NOON)
    assert await _visible(None) == ["320502", "320505", "320506"]
    assert await _visible([]) == []
    assert await _visible(["320505"]) == ["320505"]
    assert await _visible(["320506", "320502", "999999"]) == ["320502", "320506"]
    assert await _visible(["' OR 1 = 1 --"]) == []


async def test_what_the_database_finds_odd_is_said(db: Db):
    if db.dialect == "sqlite":
        assert await fetch_one("SELECT 1 / 0 AS n") == {"n": None}  # it finds nothing odd in it
        return
    with pytest.warns(pymysql.err.Warning, match="Division by 0"):
        assert await fetch_one("SELECT 1 / 0 AS n") == {"n": None}


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT nothing FROM kit_heartbeat", OperationalError),
        ("INSERT INTO kit_heartbeat (name, at) VALUES ('twice', '2026-11-21 01:00:00')", IntegrityError),
    ],
)
async def test_what_the_database_refuses_is_the_mappers_error(db: Db, sql: str, error: type[Exception]):
    await beat(name="twice", now=NOON)
    with pytest.raises(error):
        await execute(sql)
    assert await fetch_one("SELECT COUNT(*) AS n FROM kit_heartbeat") == {"n": 1}
