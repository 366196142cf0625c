import asyncio
from dataclasses import replace

import pytest

from kit.db import fetch, fetch_one
from kit.errors import Problem
from server.adapters.fake_login import FakeWallet
from server.identity import errors, queries, service
from server.identity.rules import FaceState, Level
from tests.factories import identity as make
from tests.factories.identity import World, resident, world


async def test_the_real_name_is_bound_when_the_face_passes(city: World) -> None:
    made = await resident(city, real_name=True, name="欧阳小强")
    shown = await queries.me(city.needs, resident_id=made.id)
    assert shown.level == Level.REAL_NAME
    assert shown.name_masked == "欧阳**"
    assert shown.id_number_masked == f"320{'*' * 11}{made.id_number[-4:]}"
    person = await queries.person(city.needs, resident_id=made.id)
    assert (person.name, person.id_number, person.id_kind) == ("欧阳小强", made.id_number, "resident_id")
    assert await queries.residents_by_id_number(city.needs, blinds=[person.id_number_blind, "x"]) == {
        person.id_number_blind: made.id
    }
    assert await queries.residents_by_id_number(city.needs, blinds=[]) == {}


async def test_who_was_verified_is_told_once(city: World) -> None:
    made = await resident(city)
    check_id = await make.verify(city, made)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    rows = await fetch("SELECT handler, payload FROM kit_outbox")
    assert rows == [{"handler": "applications.bind_parties", "payload": f'{{"resident_id":"{made.id}"}}'}]
    deeds = await fetch("SELECT action FROM kit_audit ORDER BY id")
    assert [row["action"].removeprefix("identity.") for row in deeds] == [
        "signed_in",
        "face_check_opened",
        "real_name_verified",
        "face_check_settled",
    ]


async def test_nothing_of_the_person_lies_in_clear(city: World) -> None:
    made = await resident(city, phone=True)
    check_id = await make.opened(city, made)
    view = await queries.face_check(city.needs, resident_id=made.id, check_id=check_id)
    tables = ("identity_resident", "identity_face_check", "identity_wallet_account", "kit_audit", "kit_outbox")

    async def text() -> str:
        return "".join([str(await fetch(f"SELECT * FROM {table}")) for table in tables])  # noqa: S608 - ours

    before = await text()
    city.face.look(view.verify_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    for secret in (made.name, made.id_number, made.phone, made.openid, view.verify_id):
        assert secret not in before + await text()
    row = await fetch_one("SELECT subject_sealed FROM identity_face_check")
    assert row == {"subject_sealed": None}


@pytest.mark.parametrize(
    ("name", "number", "error"),
    [
        ("", "32011419900307001X", errors.NameInvalid),
        ("王2", "32011419900307001X", errors.NameInvalid),
        ("王强", "", errors.IdNumberInvalid),
        ("王强", "123", errors.IdNumberInvalid),
        ("王强", "32011419900231001X", errors.IdBirthDateInvalid),
        ("王强", "WRONG", errors.IdCheckDigitWrong),
        ("王强", "E12345678", errors.IdNumberInvalid),
    ],
)
async def test_a_wrong_name_or_number_is_refused_before_anybody_is_asked(
    city: World, name: str, number: str, error: type[Problem]
) -> None:
    made = await resident(city)
    if number == "WRONG":
        good = make.id_number()
        number = good[:-1] + ("0" if good[-1] != "0" else "1")
    with pytest.raises(error) as refused:
        await service.open_face_check(
            city.needs, resident_id=made.id, wallet="wechat", action="real_name", name=name, id_number=number
        )
    assert refused.value.errors[0].field == ("name" if error is errors.NameInvalid else "id_number")
    assert not await fetch("SELECT id FROM identity_face_check")


async def test_a_lower_case_x_and_full_width_digits_are_the_same_person(city: World) -> None:
    made = await resident(city, number=make.id_number(sequence=1))
    number = next(n for n in (make.id_number(sequence=s) for s in range(1, 999)) if n.endswith("X"))
    twin = replace(made, id_number=number.lower())
    await make.verify(city, twin)
    person = await queries.person(city.needs, resident_id=made.id)
    assert person.id_number == number
    assert person.id_number_blind == city.needs.cipher.blind(number, purpose="id_number")


async def test_a_verified_resident_cannot_become_somebody_else_but_may_repeat(city: World) -> None:
    made = await resident(city, real_name=True)
    with pytest.raises(errors.IdentityFixed):
        await make.opened(city, replace(made, id_number=make.id_number()))
    await make.verify(city, made)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.REAL_NAME


async def test_of_two_checks_opened_before_either_passed_the_second_binds_nobody_else(city: World) -> None:
    made = await resident(city, name="王小强")
    other = replace(made, name="李小明", id_number=make.id_number())
    first, second = await make.opened(city, made), await make.opened(city, other)
    for check_id in (first, second):
        await make.look(city, made, check_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=first)
    for _ in range(2):
        with pytest.raises(errors.IdentityFixed):
            await service.settle_face_check(city.needs, resident_id=made.id, check_id=second)
    person = await queries.person(city.needs, resident_id=made.id)
    assert (person.name, person.id_number) == (made.name, made.id_number)
    assert (await queries.face_check(city.needs, resident_id=made.id, check_id=second)).state is FaceState.FAILED


async def test_a_second_account_of_the_same_wallet_is_refused_each_time(city: World) -> None:
    first = await resident(city, real_name=True)
    second = await resident(city, name=first.name, number=first.id_number)
    check_id = await make.opened(city, second)
    await make.look(city, second, check_id)
    for _ in range(2):
        with pytest.raises(errors.IdentityAlreadyBound):
            await service.settle_face_check(city.needs, resident_id=second.id, check_id=check_id)
    view = await queries.face_check(city.needs, resident_id=second.id, check_id=check_id)
    assert view.state == FaceState.FAILED
    assert view.state_text == errors.IdentityAlreadyBound.title
    assert (await queries.me(city.needs, resident_id=second.id)).level == Level.WALLET


async def test_another_wallet_of_the_same_person_joins_the_resident(city: World) -> None:
    first = await resident(city, real_name=True)
    # The second wallet's camera is the same; only its accounts differ.
    wallet = FakeWallet(wallet="alipay", app_id="2021")
    other = world(wallet=wallet, clock=city.clock, face=city.face)
    started = await service.start_session(other.needs, wallet=other.wallet.wallet, code=wallet.give_login_code("o2"))
    second = replace(first, id=started.resident_id, token=started.token)
    await make.verify(other, second)
    who = await queries.authenticate(other.needs, token=started.token)
    assert who is not None
    assert (who.id, who.level) == (first.id, Level.REAL_NAME)
    assert await queries.wallet_address(city.needs, resident_id=first.id, wallet="alipay") == "o2"
    again = await service.start_session(other.needs, wallet=other.wallet.wallet, code=wallet.give_login_code("o2"))
    assert again.resident_id == first.id


async def test_two_accounts_proving_one_identity_at_once_leave_one_holder(city: World) -> None:
    first = await resident(city)
    second = await resident(city, name=first.name, number=first.id_number)
    checks = []
    for made in (first, second):
        checks.append(await make.opened(city, made))
        await make.look(city, made, checks[-1])
    results = await asyncio.gather(
        *(
            service.settle_face_check(city.needs, resident_id=made.id, check_id=check)
            for made, check in zip((first, second), checks, strict=True)
        ),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["IdentityAlreadyBound", "str"]
    assert len(await fetch("SELECT id FROM identity_resident WHERE level = 3")) == 1
