"""The wallet's answer is lost, before or after the wallet acted: nobody gets two of anything, and all can go on."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from kit.db import fetch
from kit.errors import OutsideError
from kit.failing import failing
from kit.idempotency import RequestKey, once
from kit.idempotency.service import new_key
from server.identity import queries, service
from server.identity.errors import LoginCodeRejected, PhoneCodeRejected
from server.identity.ports import Needs
from server.identity.rules import Level
from tests.factories import identity as make
from tests.factories.identity import MadeResident, World, resident

DOWN = OutsideError("fake", "TIMEOUT", "no answer in time", permanent=False)


class Killed(BaseException):
    """The process died here."""


LOST = [
    pytest.param(DOWN, False, id="no answer, before the wallet acted"),
    pytest.param(DOWN, True, id="no answer, after the wallet acted"),
    pytest.param(Killed(), False, id="the process died, before the wallet acted"),
    pytest.param(Killed(), True, id="the process died, after the wallet acted"),
]


def behind(city: World, method: str, error: BaseException, *, after: bool) -> Needs:
    """Identity whose wallet loses the first answer to `method`."""
    name = city.wallet.wallet
    door = city.needs.wallets[name]
    ports: dict[str, Any] = {
        part: failing(getattr(door, part), [error], after=after, methods={method})
        for part in ("login", "phones", "face")
    }
    return replace(city.needs, wallets={name: replace(door, **ports)})


def keyed(city: World, command: Callable[[RequestKey], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
    """The same request under the same key, each time it is called."""

    async def ask() -> str:
        key = new_key(who="resident:r", route="POST /x", key="key-0001", digest="d", clock=city.clock)
        return (await once(key, command, status=201, calls_outside=True)).result_id

    return ask


@pytest.mark.parametrize(("error", "after"), LOST)
async def test_a_login_makes_one_resident(city: World, error: BaseException, *, after: bool) -> None:
    needs = behind(city, "exchange", error, after=after)
    code = city.wallet.give_login_code("oLOST")
    with pytest.raises(type(error)):
        await service.start_session(needs, wallet="wechat", code=code)
    assert await fetch("SELECT id FROM identity_resident") == []
    if after:
        # The wallet has spent the code: the phone asks it for another one.
        with pytest.raises(LoginCodeRejected):
            await service.start_session(needs, wallet="wechat", code=code)
        code = city.wallet.give_login_code("oLOST")
    await service.start_session(needs, wallet="wechat", code=code)
    assert len(await fetch("SELECT id FROM identity_resident")) == 1
    assert len(await fetch("SELECT id FROM identity_session")) == 1


@pytest.mark.parametrize(("error", "after"), LOST)
async def test_a_phone_is_bound_once(city: World, error: BaseException, *, after: bool) -> None:
    made = await resident(city)
    needs = behind(city, "number", error, after=after)
    code = city.wallet.give_phone_code(made.openid, made.phone)
    with pytest.raises(type(error)):
        await service.bind_phone(needs, resident_id=made.id, wallet="wechat", code=code)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.WALLET
    if after:
        with pytest.raises(PhoneCodeRejected):
            await service.bind_phone(needs, resident_id=made.id, wallet="wechat", code=code)
        code = city.wallet.give_phone_code(made.openid, made.phone)
    await service.bind_phone(needs, resident_id=made.id, wallet="wechat", code=code)
    shown = await queries.me(city.needs, resident_id=made.id)
    assert (shown.level, shown.phone_masked, shown.version) == (Level.PHONE, f"138****{made.phone[-4:]}", 2)


def opening(needs: Needs, made: MadeResident) -> Callable[[RequestKey], Awaitable[str]]:
    def command(key: RequestKey) -> Awaitable[str]:
        return service.open_face_check(
            needs,
            resident_id=made.id,
            wallet="wechat",
            action="real_name",
            name=made.name,
            id_number=made.id_number,
            key=key,
        )

    return command


@pytest.mark.parametrize(("error", "after"), LOST)
async def test_a_face_check_is_opened_once(city: World, error: BaseException, *, after: bool) -> None:
    made = await resident(city)
    ask = keyed(city, opening(behind(city, "open", error, after=after), made))
    with pytest.raises(type(error)):
        await ask()
    assert await fetch("SELECT state FROM identity_face_check") == [{"state": "opening"}]
    if isinstance(error, Killed):
        # Nobody gave the request's claim back: it runs out.
        city.clock.advance(seconds=120)
    check_id = await ask()
    assert await ask() == check_id
    assert await fetch("SELECT id, state FROM identity_face_check") == [{"id": check_id, "state": "opened"}]
    await make.look(city, made, check_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.REAL_NAME


@pytest.mark.parametrize(("error", "after"), LOST)
async def test_a_passed_face_is_neither_lost_nor_counted_twice(
    city: World, error: BaseException, *, after: bool
) -> None:
    made = await resident(city)
    check_id = await make.opened(city, made)
    await make.look(city, made, check_id)
    needs = behind(city, "outcome", error, after=after)
    with pytest.raises(type(error)):
        await service.settle_face_check(needs, resident_id=made.id, check_id=check_id)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.WALLET
    for _ in range(2):
        await service.settle_face_check(needs, resident_id=made.id, check_id=check_id)
    shown = await queries.me(city.needs, resident_id=made.id)
    assert (shown.level, shown.version) == (Level.REAL_NAME, 2)
    assert len(await fetch("SELECT id FROM kit_outbox")) == 1
