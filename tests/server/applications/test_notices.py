"""What an officer wrote to the parties stands in the progress, each text at its own moment, sealed in the table."""

from datetime import timedelta

import orjson

from kit.db import fetch
from server.applications import queries, service
from server.applications.states import NOTICE
from tests.factories import applications as make
from tests.factories.applications import World
from tests.support.moments import NOON


async def _written(city: World, case_id: str, *texts: tuple[str, float]) -> None:
    for number, (text, minutes) in enumerate(texts):
        await service.record_notice(
            city.needs,
            application_id=case_id,
            text=text,
            pushed_at=NOON + timedelta(minutes=minutes),
            message_id=f"{make.MESSAGE}{number}",
        )


async def test_each_text_stands_at_its_moment(city: World):
    case = await make.submitted(city)
    await _written(city, case.id, ("第二", 20), ("第一", 10), ("同时甲", 30), ("同时乙", 30))
    resident = (await queries.full(city.needs, application_id=case.id)).opened_by
    shown = orjson.loads(await queries.progress(city.needs, application_id=case.id, resident_id=resident))
    notes = [step["note"] for step in shown["steps"] if step["code"] == NOTICE]
    assert notes == ["第一", "第二", "同时甲", "同时乙"]
    assert any(step["code"] != NOTICE for step in shown["steps"])
    kept = await fetch("SELECT note, note_sealed FROM applications_step WHERE code = ?", [NOTICE])
    assert "第" not in str(kept)


async def test_the_same_message_is_one_notice(city: World):
    case = await make.submitted(city)
    await _written(city, case.id, ("请补交", 1))
    await _written(city, case.id, ("请补交", 1))
    assert len(await fetch("SELECT id FROM applications_step WHERE code = ?", [NOTICE])) == 1
