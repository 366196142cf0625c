"""Re-sealing columns: a message of the relay (text) and one of the inbox (bytes) stand for all."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from kit.audit.sealer import seal_once
from kit.audit.service import Actor, record
from kit.audit.verify import verify_chain
from kit.crypto import rotation
from kit.crypto.cipher import Cipher, key_id_of
from kit.crypto.keys import KeyRing
from kit.crypto.rotation import SealedColumn, counts, reseal
from kit.db import execute, fetch, fetch_one, transaction
from kit.ids import new_id
from kit.inbox.models import InboxMessage
from server.relay.models import RelayMessage
from tests.support.moments import NOON

KEYS = {"k1": b"1" * 32, "k2": b"2" * 32, "k_2": b"3" * 32, "blind": b"b" * 32}
OLD, NEW = Cipher(KeyRing(KEYS, "k1")), Cipher(KeyRing(KEYS, "k2"))
ONLY_NEW = Cipher(KeyRing({"k2": KEYS["k2"], "blind": KEYS["blind"]}, "k2"))
TEXT, BYTES = (
    SealedColumn("relay_message", "body_sealed", binary=False),
    SealedColumn("kit_inbox", "body_sealed", binary=True),
)


async def messages(count: int, cipher: Cipher = OLD, *, said: str = "张三") -> list[str]:
    ids = [new_id() for _ in range(count)]
    await RelayMessage.bulk_create(
        RelayMessage(
            id=one,
            kind="step",
            application_id="a" * 32,
            dedupe_key=one,
            body_sealed=cipher.seal(said, (TEXT.name, one)),
            state="sent",
            created_at=NOON,
        )
        for one in ids
    )
    return ids


async def letter(cipher: Cipher = OLD, body: bytes = b"\x00\xff' ? %s") -> str:
    one = new_id()
    await InboxMessage.create(
        id=one, system="s", external_id=one, body_sealed=cipher.seal_bytes(body, (BYTES.name, one)), received_at=NOON
    )
    return one


async def run(cipher: Cipher = NEW) -> Counter[str]:
    done: Counter[str] = Counter()
    async for step in reseal(cipher):
        done[step.column.name] += step.resealed
        assert not step.damaged
    return done


async def token(column: SealedColumn, row_id: str) -> Any:
    sql = f"SELECT {column.column} AS token FROM {column.table} WHERE id = ?"  # noqa: S608 - names of our models
    row = await fetch_one(sql, [row_id])
    assert row is not None
    return row["token"]


async def test_all_of_both_kinds_open_under_the_new_key_alone(db: object):
    texts, one = await messages(7), await letter()
    assert await counts() == {"k1": Counter({TEXT.name: 7, BYTES.name: 1})}
    assert await run() == {TEXT.name: 7, BYTES.name: 1}
    assert await counts() == {"k2": Counter({TEXT.name: 7, BYTES.name: 1})}
    assert {ONLY_NEW.open(await token(TEXT, each), (TEXT.name, each)) for each in texts} == {"张三"}
    assert ONLY_NEW.open_bytes(await token(BYTES, one), (BYTES.name, one)) == b"\x00\xff' ? %s"
    assert not await run()


async def test_nothing_else_of_a_row_changes(db: object):
    await messages(2)
    everything = (
        "SELECT id, kind, application_id, dedupe_key, state, created_at, sent_at FROM relay_message ORDER BY id"
    )
    before = await fetch(everything)
    await run()
    assert await fetch(everything) == before


async def test_every_row_is_found_over_many_looks_and_portions(db: object, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rotation, "LOOK_ROWS", 7)
    monkeypatch.setattr(rotation, "_PORTION_ROWS", 3)
    for _ in range(4):
        await messages(5)
        await messages(2, NEW)
    sizes = [step.resealed async for step in reseal(NEW)]
    assert (sum(sizes), max(sizes)) == (20, 3)
    assert set(await counts()) == {"k2"}


async def test_large_values_go_in_small_portions(db: object, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rotation, "_PORTION_BYTES", 1000)
    await messages(3, said="x" * 2000)
    await messages(4, said="x" * 200)
    assert [step.resealed async for step in reseal(NEW)] == [1, 1, 1, 3, 1]


async def test_an_underscore_in_a_key_id_is_no_wildcard(db: object):
    other = Cipher(KeyRing(KEYS, "k_2"))
    odd = Cipher(KeyRing({**KEYS, "kx2": b"4" * 32}, "kx2"))
    [one] = await messages(1, odd)
    both = Cipher(KeyRing({**KEYS, "kx2": b"4" * 32}, "k_2"))
    assert await run(both) == {TEXT.name: 1}
    assert other.open(await token(TEXT, one), (TEXT.name, one)) == "张三"


async def test_after_a_stop_between_portions_the_rest_is_found(db: object, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rotation, "_PORTION_ROWS", 4)
    await messages(10)
    async for step in reseal(NEW):
        assert step.resealed == 4
        break
    assert await counts() == {"k1": Counter({TEXT.name: 6}), "k2": Counter({TEXT.name: 4})}
    assert await run() == {TEXT.name: 6}


async def test_after_a_crash_inside_a_transaction_the_rest_is_found(db: object, monkeypatch: pytest.MonkeyPatch):
    ids = await messages(10)
    written = 0

    async def dying(sql: str, params: Sequence[Any]) -> int:
        nonlocal written
        written += 1
        if written == 6:
            raise SystemExit("killed")
        return await execute(sql, params)

    monkeypatch.setattr(rotation, "_PORTION_ROWS", 4)
    monkeypatch.setattr(rotation, "execute", dying)
    with pytest.raises(SystemExit):
        await run()
    monkeypatch.setattr(rotation, "execute", execute)
    assert await counts() == {"k1": Counter({TEXT.name: 6}), "k2": Counter({TEXT.name: 4})}
    for each in ids:
        assert NEW.open(await token(TEXT, each), (TEXT.name, each)) == "张三"
    assert await run() == {TEXT.name: 6}


async def test_who_writes_meanwhile_wins(db: object, monkeypatch: pytest.MonkeyPatch):
    newer, older, gone, quiet = await messages(4)
    real = rotation._replace

    async def after_the_others(column: SealedColumn, fresh: Any) -> int:
        for row_id, cipher in ((newer, NEW), (older, OLD)):
            value = cipher.seal("李四", (TEXT.name, row_id))
            await execute("UPDATE relay_message SET body_sealed = ? WHERE id = ?", [value, row_id])
        await execute("DELETE FROM relay_message WHERE id = ?", [gone])
        return await real(column, fresh)

    monkeypatch.setattr(rotation, "_replace", after_the_others)
    assert await run() == {TEXT.name: 1}
    monkeypatch.setattr(rotation, "_replace", real)
    said = [NEW.open(await token(TEXT, each), (TEXT.name, each)) for each in (newer, older, quiet)]
    assert said == ["李四", "李四", "张三"]
    assert await run() == {TEXT.name: 1}  # what a process wrote that still knew the old key only
    assert NEW.open(await token(TEXT, older), (TEXT.name, older)) == "李四"


async def test_what_does_not_open_is_told_and_stays(db: object):
    good, moved, lost, rubbish = await messages(4)
    kept = {
        moved: OLD.seal("x", (TEXT.name, good)),
        lost: Cipher(KeyRing({"k0": b"0" * 32}, "k0")).seal("x", (TEXT.name, lost)),
        rubbish: "no token",
    }
    for row_id, value in kept.items():
        await execute("UPDATE relay_message SET body_sealed = ? WHERE id = ?", [value, row_id])
    [step] = [step async for step in reseal(NEW)]
    assert (step.resealed, set(step.damaged)) == (1, set(kept))
    assert {row_id: await token(TEXT, row_id) for row_id in kept} == kept
    assert await counts() == {
        "k2": Counter({TEXT.name: 1}),
        "k1": Counter({TEXT.name: 1}),
        "k0": Counter({TEXT.name: 1}),
        "": Counter({TEXT.name: 1}),
    }


async def test_two_runs_at_once_do_each_value_once(db: object):
    await messages(9)
    first, second = reseal(NEW), reseal(NEW)
    done = [await anext(first), *[step async for step in second], *[step async for step in first]]
    assert sum(step.resealed for step in done) == 9


async def test_the_audit_trail_and_the_outbox_are_untouched(db: object):
    await messages(1)
    async with transaction():
        await record(
            actor=Actor("staff", "s1"),
            action="look",
            subject=("case", "1"),
            source_ip_sealed=OLD.seal("ip", ("x", "1")),
        )
    await seal_once(lambda _: "signed", now=NOON)
    whole = [f"SELECT * FROM {table}" for table in ("kit_audit", "kit_audit_head", "kit_outbox")]  # noqa: S608 - ours
    trail = [await fetch(sql) for sql in whole]
    assert await run() == {TEXT.name: 1}
    assert [await fetch(sql) for sql in whole] == trail
    assert await verify_chain(lambda *_: True) == []
    assert await counts() == {"k1": Counter({"kit_audit.source_ip_sealed": 1}), "k2": Counter({TEXT.name: 1})}


async def test_one_column_alone(db: object):
    await messages(1)
    one = await letter()
    assert [step.column async for step in reseal(NEW, [BYTES])] == [BYTES]
    assert key_id_of(await token(BYTES, one)) == "k2"
