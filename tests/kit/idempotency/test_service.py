import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

import pymysql
import pytest
from sanic import Blueprint
from tortoise.backends.base.client import TransactionContextPooled

from kit.clock import FixedClock
from kit.db import execute, fetch, transaction, transactional
from kit.errors import Kind, OutsideError, Problem
from kit.idempotency.errors import IdempotencyKeyReused, StillRunning
from kit.idempotency.service import CLAIM_LASTS, RequestKey, forget_old, new_key, once
from kit.ids import new_id
from kit.web.access import resident
from kit.web.edge import Call
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from tests.conftest import Db
from tests.support.moments import NOON
from tests.support.serving import client, edge, served


class Refused(Problem):
    code = "REFUSED"
    kind = Kind.STATE


class AlreadyOpen(Problem):
    code = "ALREADY_OPEN"
    kind = Kind.STATE


@dataclass
class Bench:
    """A command that leaves one heartbeat row per effect, and perhaps calls outside before."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    runs: int = 0
    called: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    ids: list[str] = field(default_factory=list)
    outside: asyncio.Event | None = None
    error: BaseException | None = None

    def key(self, text: str = "key-0001", *, digest: str = "d", who: str = "resident:1") -> RequestKey:
        return new_key(who=who, route="POST /things", key=text, digest=digest, clock=self.clock)

    @transactional
    async def make(self, key: RequestKey) -> str:
        made = new_id()
        await execute("INSERT INTO kit_heartbeat (name, at) VALUES (?, ?)", [made, self.clock.now()])
        await asyncio.sleep(0.02)
        await key.settle(result_id=made, status=201)
        return made

    async def command(self, key: RequestKey) -> str:
        self.runs += 1
        self.called.release()
        self.ids.append(key.id)
        outside, error = self.outside, self.error
        if outside is not None:
            await outside.wait()
        if error is not None:
            raise error
        return await self.make(key)

    async def effects(self) -> int:
        return len(await fetch("SELECT name FROM kit_heartbeat"))


@pytest.mark.parametrize("calls_outside", [False, True])
async def test_a_replay_answers_what_the_first_did(db: Db, *, calls_outside: bool):
    bench = Bench()
    first = await once(bench.key(), bench.command, status=201, calls_outside=calls_outside)
    again = await once(bench.key(), bench.command, status=200, calls_outside=calls_outside)
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.result_id, again.status) == (first.result_id, 201)
    assert (bench.runs, await bench.effects()) == (1, 1)


@pytest.mark.parametrize("calls_outside", [False, True])
async def test_another_body_under_the_same_key_is_refused(db: Db, *, calls_outside: bool):
    bench = Bench()
    await once(bench.key(), bench.command, status=201, calls_outside=calls_outside)
    with pytest.raises(IdempotencyKeyReused):
        await once(bench.key(digest="other"), bench.command, status=201, calls_outside=calls_outside)
    assert await bench.effects() == 1


async def test_a_key_is_its_owners_alone(db: Db):
    bench = Bench()
    await once(bench.key(), bench.command, status=201)
    await once(bench.key(who="resident:2", digest="other"), bench.command, status=201)
    assert await bench.effects() == 2


async def test_keys_differ_by_case(db: Db):
    bench = Bench()
    await once(bench.key("key-abcd"), bench.command, status=201)
    await once(bench.key("key-aBcd"), bench.command, status=201)
    assert await bench.effects() == 2


async def test_many_at_once_have_one_effect_and_one_answer(db: Db):
    bench = Bench()
    outcomes = await asyncio.gather(*(once(bench.key(), bench.command, status=201) for _ in range(8)))
    assert len({outcome.result_id for outcome in outcomes}) == 1
    assert sum(not outcome.replayed for outcome in outcomes) == 1
    assert await bench.effects() == 1


async def test_the_loser_of_a_race_answers_as_the_winner_though_the_state_now_refuses_it(db: Db):
    bench, winner_done = Bench(), asyncio.Event()

    async def loser(key: RequestKey) -> str:
        await winner_done.wait()
        raise AlreadyOpen

    losing = asyncio.create_task(once(bench.key(), loser, status=201))
    await asyncio.sleep(0.05)
    won = await once(bench.key(), bench.command, status=201)
    winner_done.set()
    assert (await losing).result_id == won.result_id


async def test_a_commit_whose_answer_is_lost_is_answered_as_done(db: Db, monkeypatch: pytest.MonkeyPatch):
    bench = Bench()
    leave = TransactionContextPooled.__aexit__

    async def lost(self: Any, *raised: Any) -> None:
        await leave(self, *raised)
        monkeypatch.undo()
        raise pymysql.err.OperationalError(2013, "Lost connection")

    if db.dialect == "mysql":  # SQLite has no answer that could be lost
        monkeypatch.setattr(TransactionContextPooled, "__aexit__", lost)
    done = await once(bench.key(), bench.command, status=201)
    assert done.replayed is (db.dialect == "mysql")
    assert (bench.runs, await bench.effects()) == (1, 1)


async def test_a_refusal_without_a_winner_stays_one(db: Db):
    bench = Bench(error=Refused())
    with pytest.raises(Refused):
        await once(bench.key(), bench.command, status=201)
    bench.error = None
    assert not (await once(bench.key(), bench.command, status=201)).replayed


async def test_many_at_once_call_outside_once(db: Db):
    bench = Bench(outside=asyncio.Event())
    tasks = [asyncio.create_task(once(bench.key(), bench.command, status=201, calls_outside=True)) for _ in range(6)]
    await bench.called.acquire()
    for refused in itertools.islice(asyncio.as_completed(tasks), 5):
        with pytest.raises(StillRunning) as caught:
            await refused
        assert caught.value.retry_after
    assert bench.outside is not None
    bench.outside.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (bench.runs, await bench.effects()) == (1, 1)
    assert (await once(bench.key(), bench.command, status=201, calls_outside=True)).replayed


async def test_a_dead_processes_claim_is_taken_over_under_the_same_id(db: Db):
    bench = Bench(outside=asyncio.Event())
    dying = asyncio.create_task(once(bench.key(), bench.command, status=201, calls_outside=True))
    await bench.called.acquire()
    bench.outside = None
    bench.clock.advance(seconds=CLAIM_LASTS.total_seconds() - 1)
    with pytest.raises(StillRunning):
        await once(bench.key(), bench.command, status=201, calls_outside=True)
    bench.clock.advance(seconds=1)
    taken = await once(bench.key(), bench.command, status=201, calls_outside=True)
    assert not taken.replayed
    assert bench.ids == [bench.ids[0]] * 2
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    assert (await once(bench.key(), bench.command, status=201, calls_outside=True)).result_id == taken.result_id


async def test_one_of_many_takes_a_dead_claim_over(db: Db):
    bench = Bench(outside=asyncio.Event())
    dying = asyncio.create_task(once(bench.key(), bench.command, status=201, calls_outside=True))
    await bench.called.acquire()
    bench.outside = None
    bench.clock.advance(seconds=61)
    calls = [once(bench.key(), bench.command, status=201, calls_outside=True) for _ in range(5)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, StillRunning) or not isinstance(result, BaseException) for result in results)
    assert (bench.runs, await bench.effects()) == (2, 1)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)


async def test_a_slow_claimant_that_was_overtaken_writes_nothing(db: Db):
    slow_may_go = asyncio.Event()
    bench = Bench(outside=slow_may_go)
    slow = asyncio.create_task(once(bench.key(), bench.command, status=201, calls_outside=True))
    await bench.called.acquire()
    bench.outside = None
    bench.clock.advance(seconds=61)
    taken = await once(bench.key(), bench.command, status=201, calls_outside=True)
    slow_may_go.set()
    assert (await slow).result_id == taken.result_id
    assert await bench.effects() == 1


async def test_a_slow_claimant_waits_for_who_overtook_it(db: Db):
    slow_may_go, second_may_go = asyncio.Event(), asyncio.Event()
    bench = Bench(outside=slow_may_go)
    slow = asyncio.create_task(once(bench.key(), bench.command, status=201, calls_outside=True))
    await bench.called.acquire()
    bench.outside = second_may_go
    bench.clock.advance(seconds=61)
    second = asyncio.create_task(once(bench.key(), bench.command, status=201, calls_outside=True))
    await bench.called.acquire()
    slow_may_go.set()
    with pytest.raises(StillRunning):
        await slow
    second_may_go.set()
    await second
    assert await bench.effects() == 1


async def test_a_refused_command_releases_its_claim(db: Db):
    bench = Bench(error=Refused())
    with pytest.raises(Refused):
        await once(bench.key(), bench.command, status=201, calls_outside=True)
    assert await fetch("SELECT id FROM kit_idempotency_key") == []
    bench.error = None
    await once(bench.key(digest="corrected"), bench.command, status=201, calls_outside=True)
    assert await bench.effects() == 1


@pytest.mark.parametrize("error", [OutsideError("bank", "TIMEOUT", "late", permanent=False), RuntimeError("broken")])
async def test_after_an_outside_failure_the_next_request_goes_on_under_the_same_id(db: Db, error: Exception):
    bench = Bench(error=error)
    with pytest.raises(type(error)):
        await once(bench.key(), bench.command, status=201, calls_outside=True)
    bench.error = None
    assert not (await once(bench.key(), bench.command, status=201, calls_outside=True)).replayed
    assert bench.ids[0] == bench.ids[1]
    assert await bench.effects() == 1


async def test_settling_belongs_into_the_commands_transaction(db: Db):
    with pytest.raises(RuntimeError, match="transaction"):
        await Bench().key().settle(result_id="x", status=201)


async def test_a_command_that_fails_after_settling_keeps_nothing(db: Db):
    bench = Bench()

    async def settle_and_fail(key: RequestKey) -> str:
        async with transaction():
            await key.settle(result_id="x", status=201)
            raise Refused

    with pytest.raises(Refused):
        await once(bench.key(), settle_and_fail, status=201)
    assert not (await once(bench.key(), bench.command, status=201)).replayed


async def test_keys_are_forgotten_after_a_day(db: Db):
    bench = Bench()
    await once(bench.key(), bench.command, status=201)
    bench.clock.advance(seconds=24 * 3600)
    assert await forget_old(now=bench.clock.now()) == 0
    assert (await once(bench.key(), bench.command, status=201)).replayed
    bench.clock.advance(seconds=1)
    assert await forget_old(now=bench.clock.now()) == 1
    assert not (await once(bench.key(), bench.command, status=201)).replayed


class Wish(Input):
    name: str


class Made(Answer):
    id: str


def _blueprint(bench: Bench) -> Blueprint:
    routes = Routes("things", "/things", edge(clock=bench.clock))

    @routes.post("", access=resident(1), status=201, summary="Make", body=Wish, answer=Made)
    async def make(call: Call[Wish]) -> Made:
        return Made(id=await call.once(bench.command, calls_outside=True))

    @routes.put("/file", access=resident(1), status=201, summary="Put", keyed=True, stream=True, answer=Made)
    async def put(call: Call[None]) -> Made:
        call.sent((b"".join([chunk async for chunk in call.chunks(limit=1000)])).decode())
        return Made(id=await call.once(bench.command))

    @routes.put("/large", access=resident(1), status=201, summary="Put", keyed=True, stream=True, answer=Made)
    async def large(call: Call[None]) -> Made:
        async def read(key: RequestKey) -> str:
            assert sum([len(chunk) async for chunk in call.chunks(limit=10_000_000)]) > 0
            return await bench.command(key)

        return Made(id=await call.once(read))

    return routes.blueprint


async def test_over_http_a_repeated_request_gets_the_same_answer(db: Db):
    bench = Bench()
    async with served([_blueprint(bench)]) as base_url, client(base_url, "resident-1") as http:
        key = {"Idempotency-Key": "phone-key-1"}
        first, again = [await http.post("/things", json={"name": "a"}, headers=key) for _ in range(2)]
        assert (first.status_code, first.json()) == (again.status_code, again.json()) == (201, first.json())
        other = await http.post("/things", json={"name": "b"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
        missing = await http.post("/things", json={"name": "a"})
        assert (missing.status_code, missing.json()["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")
    assert await bench.effects() == 1


async def test_over_http_a_request_that_is_still_running_says_when_to_ask_again(db: Db):
    bench = Bench(outside=asyncio.Event())
    async with served([_blueprint(bench)]) as base_url, client(base_url, "resident-1") as http:
        key = {"Idempotency-Key": "phone-key-1"}
        first = asyncio.create_task(http.post("/things", json={"name": "a"}, headers=key))
        await bench.called.acquire()
        second = await http.post("/things", json={"name": "a"}, headers=key)
        assert (second.status_code, second.json()["code"]) == (409, "STILL_RUNNING")
        assert int(second.headers["retry-after"]) > 0
        assert bench.outside is not None
        bench.outside.set()
        assert (await first).status_code == 201


async def test_over_http_a_large_upload_is_repeated_without_breaking_the_connection(db: Db):
    bench = Bench()
    async with served([_blueprint(bench)]) as base_url, client(base_url, "resident-1") as http:
        key, body = {"Idempotency-Key": "phone-key-1"}, b"x" * 5_000_000
        answers = [await http.put("/things/large", content=body, headers=key) for _ in range(3)]
        assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(201, answers[0].json()["id"])}
        other = await http.put("/things/large", content=body + b"x", headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert await bench.effects() == 1


async def test_over_http_a_streamed_body_belongs_to_its_key(db: Db):
    bench = Bench()
    async with served([_blueprint(bench)]) as base_url, client(base_url, "resident-1") as http:
        key = {"Idempotency-Key": "phone-key-1"}
        answers = [await http.put("/things/file", content=body, headers=key) for body in (b"one", b"one", b"two")]
        assert [answer.status_code for answer in answers] == [201, 201, 422]
    assert await bench.effects() == 1
