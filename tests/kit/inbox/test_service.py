import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from tortoise.exceptions import IntegrityError

from kit.clock import FixedClock
from kit.crypto.cipher import Unsealable
from kit.db import execute, fetch
from kit.inbox import Inbox, open_body
from kit.inbox.models import InboxMessage
from kit.log import current_request_id
from kit.outbox import Event, Handler, Outbox
from kit.outbox.drain import Drain
from kit.web.access import callback
from kit.web.edge import Call
from kit.web.routes import Routes
from tests.conftest import Db
from tests.support.moments import NOON
from tests.support.serving import CIPHER, client, edge, served

BODY = '{"name": "张三", "id_number": "110101199003070134"}'.encode()


@dataclass(frozen=True, slots=True)
class Arrived(Event):
    name: ClassVar[str] = "test.arrived"
    inbox_id: str
    key: str

    @property
    def ordering_key(self) -> str:
        return self.key


class Bench:
    """A partner's notices, and a handler that reads them."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOON)
        self.seen: list[tuple[str, bytes]] = []
        handler = Handler("test.read", Arrived, self._read)
        self.outbox = Outbox([handler], clock=self.clock, wake=lambda: None)
        self.inbox = Inbox(self.outbox, CIPHER, self.clock)
        self.drain = Drain(None, [handler], self.clock)

    async def _read(self, _: Any, event: Arrived) -> None:
        self.seen.append((current_request_id(), await open_body(CIPHER, inbox_id=event.inbox_id)))

    async def receive(
        self,
        external_id: str = "n1",
        *,
        system: str = "bank",
        body: bytes = BODY,
        announce: Callable[[str], Event] | None = None,
    ) -> bool:
        return await self.inbox.receive(
            system=system,
            external_id=external_id,
            body=body,
            announce=announce or (lambda inbox_id: Arrived(inbox_id, "a")),
        )


async def _rows() -> tuple[int, int]:
    return len(await fetch("SELECT id FROM kit_inbox")), len(await fetch("SELECT id FROM kit_outbox"))


async def test_a_message_is_kept_once_and_told_once(db: Db):
    bench = Bench()
    assert await bench.receive()
    assert not await bench.receive(body=b"repeated with other words")
    assert await _rows() == (1, 1)
    await bench.drain.until_idle()
    assert [body for _, body in bench.seen] == [BODY]


async def test_the_same_id_of_another_system_or_spelling_is_another_message(db: Db):
    bench = Bench()
    assert all([await bench.receive("n1"), await bench.receive("n1", system="tax"), await bench.receive("N1")])
    assert await _rows() == (3, 3)


async def test_many_deliveries_at_once_are_one_message(db: Db):
    bench = Bench()
    kept = await asyncio.gather(*(bench.receive() for _ in range(12)))
    assert sorted(kept) == [False] * 11 + [True]
    assert await _rows() == (1, 1)


async def test_the_body_is_sealed_for_its_row(db: Db):
    bench = Bench()
    await bench.receive()
    await bench.receive("n2", body=b"another")
    first, second = await InboxMessage.all().order_by("id")
    sealed = bytes(first.body_sealed)
    assert "张三".encode() not in sealed
    assert b"110101199003070134" not in sealed
    await execute("UPDATE kit_inbox SET body_sealed = ? WHERE id = ?", [sealed, second.id])
    with pytest.raises(Unsealable):
        await open_body(CIPHER, inbox_id=second.id)


@pytest.mark.parametrize("external_id", ["", "x" * 129])
async def test_an_id_that_tells_nothing_apart_is_refused(db: Db, external_id: str):
    with pytest.raises(ValueError, match="own id"):
        await Bench().receive(external_id)


async def test_a_message_that_could_not_be_kept_is_not_acknowledged(db: Db, monkeypatch: pytest.MonkeyPatch):
    bench = Bench()
    await bench.receive()
    kept = (await InboxMessage.get()).id
    monkeypatch.setattr("kit.inbox.gathering.new_id", lambda: kept)
    with pytest.raises(IntegrityError):
        await bench.receive("n2")


async def test_one_request_id_from_http_to_the_handler(db: Db):
    bench = Bench()
    routes = Routes("notices", "/notices", edge())

    @routes.post("", access=callback("bank"), keyed=False, summary="Notice")
    async def notice(call: Call[None]) -> None:
        await bench.receive(body=call.request.body)

    async with served([routes.blueprint]) as base_url, client(base_url) as http:
        answer = await http.post("/notices", content=BODY, headers={"X-Request-Id": "phone-request-1"})
        assert answer.status_code == 204
    assert await fetch("SELECT request_id FROM kit_outbox") == [{"request_id": "phone-request-1"}]
    await bench.drain.until_idle()
    assert bench.seen == [("phone-request-1", BODY)]
    assert await fetch("SELECT request_id FROM kit_outbox_history") == [{"request_id": "phone-request-1"}]
    assert current_request_id() == ""
