import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kit.sessions import Lifetime, LiveSessions, is_token, new_token, token_hash
from kit.web.access import Principal

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SECOND = timedelta(seconds=1)


def principal(number: int = 1) -> Principal:
    return Principal("resident", id=f"r{number}", session_id=f"s{number}")


def test_tokens_have_256_bits_and_are_known_by_their_hash() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(is_token(token) for token in tokens)
    assert token_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert not any(is_token(text) for text in ("", "a" * 42, "a" * 44, "a" * 42 + "\n", "a" * 42 + "é"))


@pytest.mark.parametrize(
    ("unused", "left", "alive"), [(0, 1, True), (1799, 1, True), (1800, 1, False), (0, 0, False), (0, -1, False)]
)
def test_when_a_session_is_over(unused: int, left: int, alive: bool) -> None:  # noqa: FBT001 - a table
    lifetime = Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
    assert lifetime.alive(now=NOW, last_used_at=NOW - unused * SECOND, expires_at=NOW + left * SECOND) is alive


def test_a_session_is_remembered_for_five_seconds_and_never_past_its_end() -> None:
    live = LiveSessions(table="t")
    live.remember("d", principal(), now=NOW, expires_at=LATER)
    assert live.recall("d", now=NOW + 4.999 * SECOND) == principal()
    assert live.recall("d", now=NOW + 5 * SECOND) is None
    live.remember("d", principal(), now=NOW, expires_at=NOW + SECOND)
    assert live.recall("d", now=NOW + SECOND) is None
    live.remember("d", principal(), now=NOW, expires_at=LATER)
    assert live.recall("d", now=NOW - SECOND) is None


def test_the_least_lately_used_goes_first() -> None:
    live = LiveSessions(table="t", size=2)
    for number in (1, 2):
        live.remember(f"d{number}", principal(number), now=NOW, expires_at=LATER)
    live.recall("d1", now=NOW)
    live.remember("d3", principal(3), now=NOW, expires_at=LATER)
    assert [live.recall(f"d{number}", now=NOW) is not None for number in (1, 2, 3)] == [True, False, True]


def test_one_session_or_all_of_an_owner_are_forgotten() -> None:
    live = LiveSessions(table="t")
    for number in (1, 2, 3):
        live.remember(f"d{number}", principal(number), now=NOW, expires_at=LATER)
    live.forget(session_id="s1")
    live.forget(owner_id="r2")
    assert [live.recall(f"d{number}", now=NOW) is not None for number in (1, 2, 3)] == [False, False, True]


async def test_one_write_at_a_time_and_none_within_a_minute(db: object, capsys: pytest.CaptureFixture[str]) -> None:
    live = LiveSessions(table="no_such_table")
    live.used("s1", now=NOW, last_used_at=NOW - 59 * SECOND)
    assert not live._writing
    for _ in range(3):
        live.used("s1", now=NOW, last_used_at=NOW - 60 * SECOND)
    assert len(live._writing) == 1
    # A write that fails is said and costs the request nothing.
    await asyncio.wait_for(live.settle(), 60)
    assert not live._writing
    assert "last_use_not_written" in capsys.readouterr().out
