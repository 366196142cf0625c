import asyncio
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from kit.errors import OutsideError
from kit.failing import Failing
from kit.outbox.models import OutboxRow
from server.registry import service
from server.registry.models import RegistryMessage
from server.registry.service import messages
from tests.factories import registry

BODY = {"application_id": "", "secret": "张明"}


async def queue(desk: registry.Desk, subject: str = "s1") -> None:
    await service.queue_message(desk.needs, kind="certificate", subject=subject, application_id="", body=BODY)


async def test_a_subject_is_told_once_and_sealed(desk: registry.Desk) -> None:
    await asyncio.gather(*(queue(desk) for _ in range(4)))
    await queue(desk)
    row = await RegistryMessage.get(kind="certificate")
    assert "张明" not in row.body_sealed
    assert await OutboxRow.filter(event_name="registry.message_queued", ordering_key="s1").count() == 1


async def test_another_broken_constraint_is_not_taken_for_a_repetition(
    desk: registry.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(messages, "_queue", broken)
    with pytest.raises(IntegrityError):
        await queue(desk)


async def test_a_message_whose_answer_was_lost_is_sent_again_under_its_id(desk: registry.Desk) -> None:
    await queue(desk)
    row = await RegistryMessage.get(kind="certificate")
    down = OutsideError("platform", "TIMEOUT", "no answer", permanent=False)
    desk.needs.__dict__["platform"] = Failing(desk.platform, [down], after=True)
    with pytest.raises(OutsideError):
        await service.send_message(desk.needs, message_id=row.id)
    assert (await RegistryMessage.get(id=row.id)).state == "queued"
    await service.send_message(desk.needs, message_id=row.id)
    await service.send_message(desk.needs, message_id=row.id)
    assert [message.id for message in desk.platform.sent] == [row.id, row.id]
    assert dict(desk.platform.sent[0].body) == BODY
    assert (await RegistryMessage.get(id=row.id)).sent_at is not None
