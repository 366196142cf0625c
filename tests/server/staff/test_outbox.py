import pytest

from kit.db import execute, fetch, fetch_one
from kit.idempotency import once
from kit.idempotency.service import new_key
from kit.ids import new_id
from server.staff import service
from server.staff.errors import ParkedRowNotFound
from server.staff.ports import Needs


async def parked(wants: Needs) -> str:
    row_id = new_id()
    now = wants.clock.now()
    await execute(
        "INSERT INTO kit_outbox (id, event_name, event_version, handler, ordering_key, payload, state, available_at, "
        "attempts, error, request_id, created_at) VALUES (?, 'e', 1, 'h', 'k', '{}', 'parked', ?, 3, 'E', '', ?)",
        [row_id, now, now],
    )
    return row_id


async def test_a_parked_row_is_let_go_once_and_who_did_it_is_kept(wants: Needs) -> None:
    row_id, other = await parked(wants), await parked(wants)

    async def ask() -> bool:
        key = new_key(who="staff:s", route="POST /replay", key="key-00001", digest="d", clock=wants.clock)
        outcome = await once(
            key, lambda held: service.replay_parked(wants, staff_id="s", row_id=row_id, key=held), status=200
        )
        return outcome.replayed

    assert not await ask()
    assert await ask()
    row = await fetch_one("SELECT state, error FROM kit_outbox WHERE id = ?", [row_id])
    assert row == {"state": "pending", "error": None}
    assert await fetch("SELECT action, actor_id, subject_id FROM kit_audit") == [
        {"action": "outbox.replayed", "actor_id": "s", "subject_id": row_id}
    ]
    await service.replay_parked(wants, staff_id="s", row_id=other)
    with pytest.raises(ParkedRowNotFound):
        await service.replay_parked(wants, staff_id="s", row_id=row_id)
