import asyncio
from datetime import timedelta

import pytest

from kit.db import fetch, fetch_one
from kit.db.sql import as_utc
from server.identity import queries, service
from server.identity.errors import LoginCodeRejected
from server.identity.rules import Level
from tests.factories.identity import World, resident, world


async def test_the_first_login_makes_a_resident_and_the_second_finds_them(city: World) -> None:
    first = await resident(city, openid="oA")
    second = await resident(city, openid="oA")
    assert second.id == first.id
    assert second.token != first.token
    who = await queries.authenticate(city.needs, token=second.token)
    assert who is not None
    assert (who.who, who.id, who.session_id, who.level) == ("resident", first.id, second.session_id, Level.WALLET)


async def test_two_first_logins_at_once_make_one_resident(city: World) -> None:
    codes = [city.wallet.give_login_code("oB") for _ in range(6)]
    started = await asyncio.gather(
        *(service.start_session(city.needs, wallet=city.wallet.wallet, code=code) for code in codes)
    )
    assert len({one.resident_id for one in started}) == 1
    assert len({one.token for one in started}) == 6
    assert len(await fetch("SELECT id FROM identity_resident")) == 1


async def test_one_openid_in_two_apps_is_two_accounts(city: World) -> None:
    first = await resident(city, openid="oC")
    other = world(wallet=type(city.wallet)(app_id="wx-other"), clock=city.clock)
    assert (await resident(other, openid="oC")).id != first.id


async def test_openids_that_differ_in_case_are_two_people(city: World) -> None:
    assert (await resident(city, openid="oAbC")).id != (await resident(city, openid="oabc")).id


async def test_a_code_is_good_once_and_leaves_nothing_when_refused(city: World) -> None:
    code = city.wallet.give_login_code("oD")
    await service.start_session(city.needs, wallet=city.wallet.wallet, code=code)
    with pytest.raises(LoginCodeRejected):
        await service.start_session(city.needs, wallet=city.wallet.wallet, code=code)
    assert len(await fetch("SELECT id FROM identity_session")) == 1


async def test_neither_token_nor_openid_nor_session_key_is_in_the_database(city: World) -> None:
    made = await resident(city, openid="oSECRET")
    rows = [*await fetch("SELECT * FROM identity_session"), *await fetch("SELECT * FROM identity_wallet_account")]
    text = str(rows)
    assert made.token not in text
    assert "oSECRET" not in text
    assert rows[1]["session_key_sealed"].startswith("k1.")


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 44, "中" * 43])
async def test_no_token_of_ours_is_nobody(city: World, token: str) -> None:
    assert await queries.authenticate(city.needs, token=token) is None


async def test_idle_for_half_an_hour_is_logged_out(city: World) -> None:
    made = await resident(city, real_name=True)
    city.clock.advance(seconds=29 * 60)
    assert await queries.authenticate(city.needs, token=made.token)
    await city.needs.live.settle()
    city.clock.advance(seconds=29 * 60)
    assert await queries.authenticate(city.needs, token=made.token)
    await city.needs.live.settle()
    city.clock.advance(seconds=30 * 60)
    assert await queries.authenticate(city.needs, token=made.token) is None


async def test_a_session_ends_twelve_hours_after_it_began(city: World) -> None:
    made = await resident(city)
    for _ in range(12 * 3):
        assert await queries.authenticate(city.needs, token=made.token)
        await city.needs.live.settle()
        city.clock.advance(seconds=20 * 60)
    assert await queries.authenticate(city.needs, token=made.token) is None


async def test_the_last_use_is_written_once_a_minute(city: World) -> None:
    made = await resident(city)
    began = city.clock.now()
    city.clock.advance(seconds=59)
    await queries.authenticate(city.needs, token=made.token)
    await city.needs.live.settle()
    assert await _last_used(made.session_id) == began
    city.clock.advance(seconds=1)
    await asyncio.gather(*(queries.authenticate(city.needs, token=made.token) for _ in range(5)))
    await city.needs.live.settle()
    assert await _last_used(made.session_id) == began + timedelta(seconds=60)


async def _last_used(session_id: str) -> object:
    row = await fetch_one("SELECT last_used_at FROM identity_session WHERE id = ?", [session_id])
    assert row
    return as_utc(row["last_used_at"])


async def test_signing_out_is_seen_here_at_once_and_elsewhere_within_five_seconds(city: World) -> None:
    made = await resident(city, real_name=True)
    other = world(clock=city.clock)
    for process in (city, other):
        assert await queries.authenticate(process.needs, token=made.token)
    await service.end_session(city.needs, resident_id=made.id, session_id=made.session_id)
    assert await queries.authenticate(city.needs, token=made.token) is None
    assert await queries.authenticate(other.needs, token=made.token)
    city.clock.advance(seconds=5)
    assert await queries.authenticate(other.needs, token=made.token) is None


async def test_nobody_ends_another_residents_session(city: World) -> None:
    made, other = await resident(city), await resident(city)
    await service.end_session(city.needs, resident_id=other.id, session_id=made.session_id)
    assert await queries.authenticate(city.needs, token=made.token)


async def test_a_raised_level_is_seen_at_once_by_every_process(city: World) -> None:
    made = await resident(city)
    other = world(clock=city.clock)
    assert await queries.authenticate(other.needs, token=made.token)
    code = city.wallet.give_phone_code(made.openid, made.phone)
    await service.bind_phone(city.needs, resident_id=made.id, wallet="wechat", code=code)
    who = await queries.authenticate(other.needs, token=made.token)
    assert who is not None
    assert who.level == Level.PHONE


async def test_signing_in_and_out_leaves_a_trace(city: World) -> None:
    made = await resident(city)
    for _ in range(2):
        await service.end_session(city.needs, resident_id=made.id, session_id=made.session_id)
    rows = await fetch("SELECT action, actor_id FROM kit_audit ORDER BY id")
    assert [row["action"] for row in rows] == ["identity.signed_in", "identity.signed_out"]
    assert {row["actor_id"] for row in rows} == {made.id}


async def test_old_sessions_are_forgotten(city: World) -> None:
    await resident(city)
    assert await service.forget_old_sessions(city.needs) == 0
    city.clock.advance(seconds=8 * 24 * 3600)
    kept = await resident(city)
    assert await service.forget_old_sessions(city.needs) == 1
    assert await queries.authenticate(city.needs, token=kept.token)
