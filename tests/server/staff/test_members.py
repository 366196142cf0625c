import asyncio

import pytest

from kit.audit.service import Actor
from kit.db import fetch, fetch_one
from kit.errors import FieldError
from server.staff import queries, service
from server.staff.errors import StaffInvalid, StaffNotFound, StaffUsernameTaken
from server.staff.ports import Needs
from tests.factories.staff import PASSWORD, member


async def test_an_account_keeps_no_secret_in_clear(wants: Needs) -> None:
    made = await member(wants, districts=("320114", "320105"))
    row = await fetch_one("SELECT * FROM staff_member")
    assert row
    for secret in (PASSWORD, made.secret, "李建国"):
        assert secret not in str(row)
    assert row["password_hash"].startswith("$argon2id$")
    known = await queries.member(wants, staff_id=made.id)
    assert (known.name, known.roles, known.districts) == ("李建国", ("officer",), ("320105", "320114"))


async def test_a_username_is_taken_in_any_case_even_at_the_same_moment(wants: Needs) -> None:
    results = await asyncio.gather(
        *(member(wants, username=name) for name in ("Li.Jian", "li.jian", "LI.JIAN")), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["MadeStaff", *["StaffUsernameTaken"] * 2]
    with pytest.raises(StaffUsernameTaken):
        await member(wants, username="li.JIAN")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "x"}, "username"),
        ({"name": ""}, "name"),
        ({"password": "short"}, "password"),
        ({"roles": ["king"]}, "roles"),
        ({"districts": []}, "districts"),
        ({"districts": ["3201"]}, "districts"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_made(wants: Needs, changes: dict[str, object], field: str) -> None:
    given: dict[str, object] = {
        "username": "li.jian",
        "name": "李建国",
        "password": PASSWORD,
        "roles": ["officer"],
        "districts": ["320114"],
    }
    with pytest.raises(StaffInvalid) as refused:
        await service.create(wants, **{**given, **changes})  # type: ignore[arg-type]
    assert [error.field for error in refused.value.errors if isinstance(error, FieldError)] == [field]
    assert not await fetch("SELECT id FROM staff_member")


async def test_a_disabled_account_is_out_at_once_and_stays_out(wants: Needs) -> None:
    made = await member(wants, signed_in=True)
    assert await queries.authenticate(wants, token=made.token)
    await service.disable(wants, staff_id=made.id, by=Actor("staff", "boss"))
    assert await queries.authenticate(wants, token=made.token) is None
    row = await fetch_one("SELECT actor_id, subject_id FROM kit_audit WHERE action = 'staff.disabled'")
    assert row == {"actor_id": "boss", "subject_id": made.id}


async def test_nobody_there(wants: Needs) -> None:
    with pytest.raises(StaffNotFound):
        await service.disable(wants, staff_id="0" * 32)
    with pytest.raises(StaffNotFound):
        await queries.member(wants, staff_id="0" * 32)
