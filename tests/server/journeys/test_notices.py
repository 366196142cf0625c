"""An officer's words, from the registry's desk to the parties' progress page and messages: each push once."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from kit.clock import rfc3339
from kit.db import fetch
from kit.failing import failing
from kit.idempotency.errors import IdempotencyKeyReused
from kit.ids import new_id
from notifications import queries as inbox
from notifications import service as notifications
from notifications.models import Delivery
from server import setup
from server.adapters.registry_wire import RegistryWire, WireError, encode_down
from server.applications import events, queries
from server.applications.models import ApplicationParty, ApplicationStep
from server.journeys import recording
from server.journeys.house import House
from server.journeys.telling import applications as telling
from server.registry import service as desk_service
from server.registry.errors import CaseNotFound, NoticeInvalid
from server.registry.models import RegistryMessage
from server.terms.messages import DownMessage
from tests.factories import applications, registry
from tests.factories.applications import Case, World
from tests.factories.notifications import OPENID, Desk, desk

pytestmark = pytest.mark.usefixtures("db")
TEXT = "材料已收齐，预计三个工作日内完成审核"


class Killed(BaseException):
    """The process died here."""


class Platform:
    """An application under way, and the house that hears of it."""

    def __init__(self, world: World, post: Desk) -> None:
        self.world, self.post = world, post
        self.house = cast(
            "House", SimpleNamespace(clock=world.clock, applications=world.needs, notifications=post.needs)
        )

    async def hear(self, case: Case, message_id: str, text: str = TEXT) -> None:
        """Over the wire and back, then what listens to it."""
        now = self.world.clock.now()
        body = {"application_id": case.id, "text": text, "pushed_at": rfc3339(now)}
        message = RegistryWire().decode_down(encode_down(DownMessage(message_id, "notice", case.id, now, body)))
        await recording.record(self.house, message)

    async def tell(self, case: Case, message_id: str) -> None:
        await telling.progress_notice(self.house, events.NoticePushed(case.id, message_id))

    async def notes(self, case: Case) -> list[str]:
        page = await queries.progress(self.world.needs, application_id=case.id, resident_id=case.opener.resident_id)
        return [step["note"] for step in orjson.loads(page)["steps"] if step["code"] == "notice"]

    async def told(self, resident_id: str) -> list[str]:
        seen = await inbox.inbox(self.post.needs, recipient=resident_id)
        return [each.body for each in seen if each.template == "progress_notice"]


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(applications.world(tmp_path), desk())


async def test_each_party_reads_it_once_however_often_it_comes(platform: Platform) -> None:
    case, push = await applications.accepted(platform.world), new_id()
    for _ in range(3):
        await platform.hear(case, push)
        await platform.tell(case, push)
    assert await platform.notes(case) == [TEXT]
    for person in case.all:
        (body,) = await platform.told(person.resident_id)
        assert body.endswith(f"发来通知：{TEXT}")
    row = await ApplicationStep.get(code="notice")
    assert row.note == ""
    assert TEXT not in row.note_sealed


async def test_the_same_words_pushed_twice_are_two_messages(platform: Platform) -> None:
    case = await applications.accepted(platform.world)
    for push in (new_id(), new_id()):
        await platform.hear(case, push)
        await platform.tell(case, push)
    assert await platform.notes(case) == [TEXT, TEXT]
    assert len(await platform.told(case.buyer.resident_id)) == 2


async def test_who_has_no_account_is_not_told(platform: Platform) -> None:
    case, push = await applications.accepted(platform.world), new_id()
    await ApplicationParty.filter(resident_id=case.buyer.resident_id).update(resident_id=None)
    await platform.hear(case, push)
    await platform.tell(case, push)
    assert await platform.told(case.buyer.resident_id) == []
    assert len(await platform.told(case.opener.resident_id)) == 1


async def test_in_the_wallet_it_is_shortened_and_by_text_message_it_is_not_quoted(platform: Platform) -> None:
    everywhere = platform.post.with_all()
    case, push = await applications.accepted(platform.world), new_id()
    platform.house.notifications = everywhere.needs  # type: ignore[misc]
    everywhere.book.others = {"sms": {case.buyer.resident_id: "+8613800000001"}}
    await platform.hear(case, push, "测" * 100)
    await platform.tell(case, push)
    await everywhere.work()
    (sent,) = everywhere.sms.sent
    assert "测" not in str(sent.fields)
    assert await Delivery.filter(channel="sms").count() == 3


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\u2028", "\u2029", "\x85", "\v"])
async def test_an_officers_line_break_never_reaches_a_wallet(platform: Platform, line_break: str) -> None:
    """A registry of another make may send one; WeChat would refuse the whole message for it."""
    everywhere = platform.post.with_all()
    case, push = await applications.accepted(platform.world), new_id()
    platform.house.notifications = everywhere.needs  # type: ignore[misc]
    everywhere.book.known = {case.buyer.resident_id: OPENID}
    everywhere.channel.agree(OPENID, "progress_notice")
    await notifications.record_consents(
        everywhere.needs, recipient=case.buyer.resident_id, accepted=["progress_notice"]
    )
    await platform.hear(case, push, f"材料已收齐{line_break}请等候{line_break}通知")
    await platform.tell(case, push)
    await everywhere.work()
    (sent,) = everywhere.channel.sent
    assert "材料已收齐 请等候 通知" in sent.fields.values()
    assert not [text for text in sent.fields.values() if len(text.splitlines()) != 1]


@pytest.mark.parametrize("text", ["", "测" * 101])
def test_the_wire_refuses_what_the_desk_would_not_send(text: str) -> None:
    now, application_id = applications.NOON, new_id()
    body = {"application_id": application_id, "text": text, "pushed_at": rfc3339(now)}
    with pytest.raises(WireError):
        encode_down(DownMessage(new_id(), "notice", application_id, now, body))


async def test_a_notice_that_was_never_recorded_is_an_error(platform: Platform) -> None:
    case = await applications.accepted(platform.world)
    with pytest.raises(LookupError):
        await platform.tell(case, new_id())


class TestDesk:
    """The registry's end."""

    @pytest.fixture
    async def made(self, db: object, tmp_path: Path) -> registry.Desk:  # noqa: ARG002 - the database is open
        found = await registry.desk(tmp_path / "files")
        await registry.seed_h1(found.needs)
        return found

    def house(self, made: registry.Desk) -> Any:
        return SimpleNamespace(registry=made.needs, cipher=made.needs.cipher, clock=made.clock)

    async def test_the_command_writes_once_under_its_key(self, made: registry.Desk) -> None:
        case_id, _ = await registry.accepted(made.needs)
        number = (await fetch("SELECT case_number FROM registry_case WHERE id = ?", [case_id]))[0]["case_number"]
        ids = {await setup._notify(self.house(made), number=number, text=TEXT, key="same-key-1") for _ in range(3)}
        assert ids == {(await RegistryMessage.get(kind="notice")).id}
        with pytest.raises(IdempotencyKeyReused):
            await setup._notify(self.house(made), number=number, text="别的话", key="same-key-1")
        with pytest.raises(CaseNotFound):
            await setup._notify(self.house(made), number="nobody's", text=TEXT, key="other-key")
        with pytest.raises(NoticeInvalid):
            await setup._notify(self.house(made), number=number, text="13800000001", key="third-key")
        assert await RegistryMessage.filter(kind="notice").count() == 1

    @pytest.mark.parametrize("after", [False, True], ids=["before it was sent", "after it was sent"])
    async def test_a_crash_on_the_road_sends_the_same_push_again(self, made: registry.Desk, *, after: bool) -> None:
        case_id, _ = await registry.accepted(made.needs)
        number = (await fetch("SELECT case_number FROM registry_case WHERE id = ?", [case_id]))[0]["case_number"]
        push = await setup._notify(self.house(made), number=number, text=TEXT, key="same-key-1")

        dying = replace(made.needs, platform=failing(made.platform, [Killed()], after=after, methods={"send"}))
        with pytest.raises(Killed):
            await desk_service.send_message(dying, message_id=push)
        for _ in range(2):
            await desk_service.send_message(made.needs, message_id=push)
        sent = [message for message in made.platform.sent if message.kind == "notice"]
        assert {message.id for message in sent} == {push}
        assert len(sent) == (2 if after else 1)
