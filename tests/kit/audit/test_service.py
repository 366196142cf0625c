import json
from datetime import UTC, datetime

import pytest

from kit.audit.models import AuditRecord
from kit.audit.service import Actor, record
from kit.db import transaction, transactional
from kit.ids import is_id
from kit.log import request_scope

OFFICER = Actor("staff", "s1")
SUBJECT = ("application", "a1")


async def test_a_deed_is_written_as_it_was(db: object):
    at = datetime(2026, 11, 21, 4, 0, 0, 123456, tzinfo=UTC)
    with request_scope("r1"):
        async with transaction():
            await record(
                actor=OFFICER,
                action="application.accept",
                subject=SUBJECT,
                result="refused",
                reason="材料不全",
                details={"step": "review", "amount_fen": 8000},
                source_ip_sealed="k1.abc",
                at=at,
            )
    row = await AuditRecord.get()
    assert is_id(row.id)
    assert (row.at, row.actor_kind, row.actor_id, row.action) == (at, "staff", "s1", "application.accept")
    assert (row.subject_kind, row.subject_id, row.result, row.reason) == ("application", "a1", "refused", "材料不全")
    assert (row.request_id, row.source_ip_sealed) == ("r1", "k1.abc")
    assert json.loads(row.details) == {"step": "review", "amount_fen": 8000}
    assert (row.seq, row.previous_hash, row.hash) == (None, None, None)


async def test_a_deed_undone_leaves_no_record(db: object):
    @transactional
    async def fail() -> None:
        await record(actor=OFFICER, action="x", subject=SUBJECT)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await AuditRecord.all().count() == 0


async def test_needs_the_transaction_of_the_deed(db: object):
    with pytest.raises(RuntimeError, match="transaction"):
        await record(actor=OFFICER, action="x", subject=SUBJECT)


async def test_personal_data_does_not_get_in(db: object):
    async with transaction():
        await record(
            actor=OFFICER,
            action="x",
            subject=SUBJECT,
            reason="核对 11010519491231002X 与 13800138000",
            details={"name": "张三", "note": ["tel 13800138000"]},
        )
    row = await AuditRecord.get()
    assert row.reason == "核对 [removed] 与 [removed]"
    assert json.loads(row.details) == {"name": "[removed]", "note": ["tel [removed]"]}
