import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.errors import OutsideError
from kit.failing import Failing
from kit.ids import new_id
from kit.inbox import Inbox
from kit.inbox.models import InboxMessage
from kit.outbox import Handler, Outbox
from kit.outbox.models import OutboxRow
from server.adapters.registry_wire import RegistryWire, WireError, encode_down
from server.relay import queries, service
from server.relay.errors import PackageNotSentYet
from server.relay.events import RegistryMessageArrived
from server.relay.models import RelayMessage
from server.relay.ports import Needs
from server.terms.messages import DownMessage, UpMessage
from server.terms.unit_record import UnitRecord
from tests.factories.registry import key_ring
from tests.support.moments import NOON

DOWN = OutsideError("registry", "TIMEOUT", "no answer", permanent=False)


@dataclass
class Remembering:
    sent: list[UpMessage] = field(default_factory=list)

    async def query_unit(self, *, unit_code: str, certificate_number: str) -> UnitRecord | None:
        self.asked = (unit_code, certificate_number)

    async def put_material(self, *, application_id: str, scope: str, digest: str) -> None:
        raise AssertionError((application_id, scope, digest))

    async def send(self, message: UpMessage) -> None:
        self.sent.append(message)


async def _nothing(house: Any, event: Any) -> None:
    """Listens, so that the event is written down."""


@pytest.fixture
def registry() -> Remembering:
    return Remembering()


@pytest.fixture
def needs(db: object, registry: Remembering) -> Needs:
    clock = FixedClock(NOON)
    outbox = Outbox([Handler("relay.record", RegistryMessageArrived, _nothing)], clock=clock, wake=lambda: None)
    return Needs(clock=clock, outbox=outbox, cipher=Cipher(key_ring()), registry=registry, codec=RegistryWire())


def message(kind: str = "case_package", application_id: str = "a" * 32, **body: Any) -> UpMessage:
    return UpMessage(new_id(), kind, application_id, NOON, body)


async def test_a_message_is_kept_sealed_and_sent_once(needs: Needs, registry: Remembering) -> None:
    first = message(name="张明")
    await service.forward(needs, message=first)
    await service.forward(needs, message=message(name="别人"))
    [sent] = registry.sent
    assert (sent.id, dict(sent.body)) == (first.id, {"name": "张明"})
    row = await RelayMessage.get()
    assert (row.state, row.sent_at) == ("sent", NOON)
    assert "张明" not in row.body_sealed


@pytest.mark.parametrize("after", [False, True])
async def test_what_failed_is_sent_again_under_the_same_id_and_body(
    needs: Needs, registry: Remembering, *, after: bool
) -> None:
    needs.__dict__["registry"] = Failing(registry, [DOWN], after=after)
    first = message(price=1)
    with pytest.raises(OutsideError):
        await service.forward(needs, message=first)
    assert (await RelayMessage.get()).state == "queued"
    await service.forward(needs, message=message(price=2))
    assert {(sent.id, sent.body["price"]) for sent in registry.sent} == {(first.id, 1)}


async def test_another_submission_is_another_message(needs: Needs, registry: Remembering) -> None:
    for submission in ("one", "two", "two"):
        await service.forward(needs, message=message(), dedupe_key=submission)
    assert len(registry.sent) == 2


async def test_nothing_goes_before_the_package(needs: Needs, registry: Remembering) -> None:
    with pytest.raises(PackageNotSentYet):
        await service.forward(needs, message=message("withdrawal"))
    await service.forward(needs, message=message())
    await service.forward(needs, message=message("withdrawal"))
    assert [sent.kind for sent in registry.sent] == ["case_package", "withdrawal"]


async def test_two_workers_with_one_message_keep_one_row(needs: Needs, registry: Remembering) -> None:
    await asyncio.gather(*(service.forward(needs, message=message()) for _ in range(4)))
    row = await RelayMessage.get()
    assert {sent.id for sent in registry.sent} == {row.id}


def down(**body: Any) -> DownMessage:
    application_id = "0192f3a45b6c7d8e9f00112233445566"
    content = {"application_id": application_id, "entered_at": "2026-03-16T12:00:00+08:00", **body}
    return DownMessage(new_id(), "entered", application_id, NOON + timedelta(seconds=1), content)


async def test_what_came_down_is_opened_from_the_inbox(needs: Needs) -> None:
    told = down()
    for expected in (True, False):
        new = await Inbox(needs.outbox, needs.cipher, needs.clock).receive(
            system="registry",
            external_id=told.id,
            body=encode_down(told),
            announce=lambda inbox_id: RegistryMessageArrived(inbox_id, told.application_id),
        )
        assert new is expected
    row = await InboxMessage.get()
    found = await service.open_down(needs, inbox_id=row.id)
    assert (found.id, found.kind, found.sent_at) == (told.id, "entered", told.sent_at)
    assert (await OutboxRow.get()).ordering_key == told.application_id
    assert RegistryMessageArrived(row.id, "").ordering_key == row.id


async def test_what_cannot_be_read_is_for_staff(needs: Needs) -> None:
    await Inbox(needs.outbox, needs.cipher, needs.clock).receive(
        system="registry",
        external_id="x",
        body=b"{}",
        announce=lambda inbox_id: RegistryMessageArrived(inbox_id, ""),
    )
    row = await InboxMessage.get()
    with pytest.raises(WireError):
        await service.open_down(needs, inbox_id=row.id)


async def test_a_query_goes_straight_to_the_register(needs: Needs, registry: Remembering) -> None:
    assert await queries.unit(needs, unit_code="u", certificate_number="c") is None
    assert registry.asked == ("u", "c")
