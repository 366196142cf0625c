from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kit.audit.models import AuditRecord
from kit.ids import new_id
from notifications import queries, service
from notifications.errors import TemplateInvalid
from notifications.models import MessageTemplate
from notifications.shelf import Shelf
from tests.factories.notifications import TEMPLATE, Desk, desk

pytestmark = pytest.mark.usefixtures("db")
STAFF = new_id()


async def save(at: Desk, **changes: Any) -> str:
    shipped = at.needs.templates.shipped[TEMPLATE]
    given = {name: getattr(shipped, name) for name in ("code", "name", "title", "body", "page", "wechat", "alipay")}
    return await service.save_template(
        at.needs, staff_id=STAFF, **{**given, "sms": shipped.sms, "sms_text": shipped.sms_text, **changes}
    )


async def title(at: Desk, occasion: str) -> str:
    await at.tell(occasion)
    return (await queries.inbox(at.needs, recipient=at.somebody, limit=1))[0].title


async def test_what_is_shipped_becomes_version_one_once() -> None:
    at = desk()
    for _ in range(2):
        await service.load_shipped(at.needs)
    rows = await MessageTemplate.all()
    assert {row.code for row in rows} == set(at.needs.templates)
    assert {(row.version, row.saved_by) for row in rows} == {(1, "shipped")}


async def test_an_old_message_reads_as_it_did() -> None:
    at = desk()
    await service.load_shipped(at.needs)
    assert await title(at, "one") == "申请已受理"
    await save(at, title="已经受理")
    assert await title(at, "two") == "已经受理"
    assert [each.title for each in await queries.inbox(at.needs, recipient=at.somebody)] == ["已经受理", "申请已受理"]
    deed = await AuditRecord.get(action="notifications.template_saved")
    assert (deed.actor_id, deed.subject_id) == (STAFF, TEMPLATE)


async def test_what_goes_out_is_of_the_messages_own_version() -> None:
    at = desk()
    await at.agree()
    await at.tell()
    await save(at, wechat={**at.needs.templates.shipped[TEMPLATE].wechat, "thing5": "新的说法"})
    await at.work()
    assert at.channel.sent[0].fields["thing5"] == "请查看受理凭证"


async def test_a_version_waits_for_its_day() -> None:
    at = desk()
    await service.load_shipped(at.needs)
    await save(at, title="以后的说法", effective_from=at.clock.now() + timedelta(days=1))
    assert await title(at, "one") == "申请已受理"
    at.clock.advance(seconds=86401)
    at.needs.templates.forget()
    assert await title(at, "two") == "以后的说法"


async def test_a_district_has_words_of_its_own() -> None:
    at = desk()
    await service.load_shipped(at.needs)
    await save(at, title="江宁的说法", district="320115")
    find, now = at.needs.templates.in_force, at.clock.now()
    assert (await find(TEMPLATE, now=now, district="320115")).title == "江宁的说法"
    assert (await find(TEMPLATE, now=now, district="320114")).title == "申请已受理"
    assert (await find(TEMPLATE, now=now)).title == "申请已受理"


async def test_another_process_follows_within_seconds() -> None:
    at, elapsed = desk(), [0.0]
    shelf = Shelf(at.needs.templates.shipped, timer=lambda: elapsed[0])
    assert (await shelf.in_force(TEMPLATE, now=at.clock.now())).title == "申请已受理"
    await save(at, title="新的说法")
    assert (await shelf.in_force(TEMPLATE, now=at.clock.now())).title == "申请已受理"
    elapsed[0] = 5.1
    assert (await shelf.in_force(TEMPLATE, now=at.clock.now())).title == "新的说法"


async def test_what_a_wallet_would_refuse_is_not_saved() -> None:
    at = desk()
    with pytest.raises(TemplateInvalid) as caught:
        await save(at, wechat={"phrase3": "OK"}, title="", effective_from=at.clock.now() - timedelta(seconds=1))
    assert {flaw.field for flaw in caught.value.errors} == {"title", "effective_from"}
    with pytest.raises(TemplateInvalid) as caught:
        await save(at, wechat={"phrase3": "OK"})
    assert [(flaw.field, flaw.code) for flaw in caught.value.errors] == [("wechat.phrase3", "CHARACTERS")]
    with pytest.raises(TemplateInvalid) as caught:
        await save(at, code="nope")
    assert [(flaw.field, flaw.code) for flaw in caught.value.errors] == [("code", "UNKNOWN")]
    assert await MessageTemplate.all().count() == 0


async def test_a_newer_shipped_version_takes_over_only_from_a_shipped_one() -> None:
    at = desk()
    await service.load_shipped(at.needs)
    await save(at, title="本市的说法")
    newer = {code: replace(each, title="新版") for code, each in at.needs.templates.shipped.items()}
    await service.load_shipped(replace(at.needs, templates=Shelf(newer)))
    versions = {row.code: row.version for row in await MessageTemplate.all().order_by("version")}
    assert set(versions.values()) == {2}
    at.needs.templates.forget()
    now = at.clock.now()
    assert (await at.needs.templates.in_force(TEMPLATE, now=now)).title == "本市的说法"
    assert (await at.needs.templates.in_force("fee_due", now=now)).title == "新版"
