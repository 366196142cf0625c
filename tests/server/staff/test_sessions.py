import asyncio

import pytest

from kit.clock import FixedClock
from kit.db import execute, fetch
from server.staff import queries, service
from server.staff.errors import StaffSignInLocked, StaffSignInRefused
from server.staff.ports import Needs
from tests.factories import staff
from tests.factories.staff import MadeStaff, code, member, sign_in


def clock(wants: Needs) -> FixedClock:
    assert isinstance(wants.clock, FixedClock)
    return wants.clock


async def test_both_factors_open_a_session_with_roles_and_districts(wants: Needs) -> None:
    made = await member(wants, username="li.jian", roles=("officer", "operator"))
    started = await sign_in(wants, made, username=" Li.JIAN")
    who = await queries.authenticate(wants, token=started.token)
    assert who is not None
    assert (who.who, who.id, who.session_id) == ("staff", made.id, started.session_id)
    assert who.districts == {"320114"}
    assert {"case.decide", "outbox.replay"} <= who.permissions
    assert "staff.manage" not in who.permissions


async def test_every_district_is_no_list(wants: Needs) -> None:
    made = await member(wants, districts=("*",), signed_in=True)
    who = await queries.authenticate(wants, token=made.token)
    assert who is not None
    assert who.districts is None


async def test_every_wrong_factor_is_refused_in_the_same_words(wants: Needs) -> None:
    made = await member(wants)
    refusals = []
    for changes in (
        {"username": "nobody.here"},
        {"username": "n" * 64},
        {"username": "\ufdfa" * 64},  # 18 letters each, once spelt out
        {"password": "Wrong-horse-77"},
        {"totp": code(wants, made, seconds=3600)},
        {"totp": ""},
    ):
        with pytest.raises(StaffSignInRefused) as refused:
            await sign_in(wants, made, **changes)
        refusals.append(refused.value.detail)
    assert len(set(refusals)) == 1
    assert await fetch("SELECT id FROM staff_session") == []
    assert len(await fetch("SELECT id FROM kit_audit WHERE action = 'staff.sign_in' AND result = 'refused'")) == 6


async def test_an_unknown_name_costs_a_hash_too(wants: Needs, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    right = wants.passwords._right

    def counted(stored: str, password: str) -> bool:
        compared.append(stored)
        return right(stored, password)

    monkeypatch.setattr(wants.passwords, "_right", counted)
    made = await member(wants)
    for name in ("nobody.here", made.username):
        with pytest.raises(StaffSignInRefused):
            await sign_in(wants, made, username=name, password="Wrong-horse-77")
    assert len(compared) == 2
    assert all(stored.startswith("$argon2id$") for stored in compared)


async def test_a_code_is_good_once_also_for_two_at_the_same_moment(wants: Needs) -> None:
    made = await member(wants)
    results = await asyncio.gather(*(sign_in(wants, made) for _ in range(3)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == [
        "StaffSignInRefused",
        "StaffSignInRefused",
        "Started",
    ]
    with pytest.raises(StaffSignInRefused):
        await sign_in(wants, made, totp=code(wants, made, seconds=-30))
    clock(wants).advance(seconds=30)
    assert (await sign_in(wants, made)).staff_id == made.id


@pytest.mark.parametrize("username", ["li.jian", "nobody.here"])
async def test_the_fifth_failure_locks_for_half_an_hour_whether_or_not_there_is_such_an_account(
    wants: Needs, username: str
) -> None:
    made = await member(wants, username="li.jian")
    for _ in range(5):
        with pytest.raises(StaffSignInRefused):
            await sign_in(wants, made, username=username, password="Wrong-horse-77")
    restarted = staff.needs(clock=clock(wants))
    with pytest.raises(StaffSignInLocked) as locked:
        await sign_in(restarted, made, username=username)
    assert locked.value.retry_after == 1801
    clock(wants).advance(seconds=1800)
    if username == "li.jian":
        assert await sign_in(wants, made)


async def test_many_guesses_at_once_count_as_many(wants: Needs) -> None:
    made = await member(wants)
    results = await asyncio.gather(
        *(sign_in(wants, made, password="Wrong-horse-77") for _ in range(12)), return_exceptions=True
    )
    kinds = [type(result).__name__ for result in results]
    assert kinds.count("StaffSignInRefused") == 5
    assert kinds.count("StaffSignInLocked") == 7


async def test_success_forgets_the_failures(wants: Needs) -> None:
    made = await member(wants)
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(StaffSignInRefused):
                await sign_in(wants, made, password="Wrong-horse-77")
        assert await sign_in(wants, made)
        clock(wants).advance(seconds=30)


async def test_a_disabled_account_cannot_sign_in(wants: Needs) -> None:
    made = await member(wants)
    await service.disable(wants, staff_id=made.id)
    with pytest.raises(StaffSignInRefused):
        await sign_in(wants, made)


async def test_an_account_disabled_while_it_signs_in_stays_out(wants: Needs, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await member(wants)
    verify = wants.passwords.verify

    async def slow(stored: str | None, password: str) -> bool:
        await service.disable(wants, staff_id=made.id)
        return await verify(stored, password)

    monkeypatch.setattr(wants.passwords, "verify", slow)
    with pytest.raises(StaffSignInRefused):
        await sign_in(wants, made)


async def test_a_damaged_hash_lets_nobody_in(wants: Needs) -> None:
    made = await member(wants)
    await execute("UPDATE staff_member SET password_hash = 'x'")
    with pytest.raises(StaffSignInRefused):
        await sign_in(wants, made)


async def test_a_quarter_of_an_hour_unused_is_logged_out(wants: Needs) -> None:
    made = await member(wants, signed_in=True)
    clock(wants).advance(seconds=899)
    assert await queries.authenticate(wants, token=made.token)
    await wants.live.settle()
    clock(wants).advance(seconds=899)
    assert await queries.authenticate(wants, token=made.token)
    await wants.live.settle()
    clock(wants).advance(seconds=900)
    assert await queries.authenticate(wants, token=made.token) is None


async def test_what_was_just_read_is_not_read_again(wants: Needs) -> None:
    made = await member(wants, signed_in=True)
    first = await queries.authenticate(wants, token=made.token)
    await execute("UPDATE staff_member SET roles = 'auditor'")
    assert await queries.authenticate(wants, token=made.token) is first
    clock(wants).advance(seconds=5)
    who = await queries.authenticate(wants, token=made.token)
    assert who is not None
    assert who.permissions == {"audit.read", "own.session"}


async def test_signing_out(wants: Needs) -> None:
    made, other = await member(wants, signed_in=True), await member(wants, signed_in=True)
    await service.end_session(wants, staff_id=other.id, session_id=made.session_id)
    assert await queries.authenticate(wants, token=made.token)
    await service.end_session(wants, staff_id=made.id, session_id=made.session_id)
    assert await queries.authenticate(wants, token=made.token) is None
    assert await queries.authenticate(wants, token="A" * 43) is None
    assert await queries.authenticate(wants, token="") is None


async def test_old_sessions_and_failures_are_forgotten(wants: Needs) -> None:
    made = await member(wants, signed_in=True)
    with pytest.raises(StaffSignInRefused):
        await sign_in(wants, MadeStaff("", "nobody.here", made.secret))
    clock(wants).advance(seconds=8 * 24 * 3600)
    assert await service.forget_old_sessions(wants) == 1
    assert await fetch("SELECT id FROM staff_sign_in_failures") == []
