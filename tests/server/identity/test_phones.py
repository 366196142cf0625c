import pytest

from kit.db import fetch_one
from kit.idempotency import once
from kit.idempotency.service import new_key
from server.identity import queries, service
from server.identity.errors import PhoneCodeRejected, PhoneNotMainland, RealNameRequired, WalletMissing
from server.identity.rules import Level
from tests.factories.identity import World, resident


async def test_a_bound_phone_is_sealed_masked_and_raises_the_level(city: World) -> None:
    made = await resident(city, phone=True)
    shown = await queries.me(city.needs, resident_id=made.id)
    assert (shown.level, shown.phone_masked) == (Level.PHONE, f"138****{made.phone[-4:]}")
    assert (shown.name_masked, shown.id_number_masked, shown.version) == (None, None, 2)
    row = await fetch_one("SELECT * FROM identity_resident WHERE id = ?", [made.id])
    assert row
    assert made.phone not in str(row)
    assert row["phone_blind"] == city.needs.cipher.blind(made.phone, purpose="phone")


async def test_a_phone_code_is_good_once_and_for_its_own_person(city: World) -> None:
    made, other = await resident(city), await resident(city)
    code = city.wallet.give_phone_code(made.openid, made.phone)
    with pytest.raises(PhoneCodeRejected):
        await service.bind_phone(city.needs, resident_id=other.id, wallet="wechat", code=code)
    code = city.wallet.give_phone_code(made.openid, made.phone)
    await service.bind_phone(city.needs, resident_id=made.id, wallet="wechat", code=code)
    with pytest.raises(PhoneCodeRejected):
        await service.bind_phone(city.needs, resident_id=made.id, wallet="wechat", code=code)


async def test_a_repeat_under_the_same_key_redeems_no_second_code(city: World) -> None:
    made = await resident(city)
    code = city.wallet.give_phone_code(made.openid, made.phone)

    async def ask() -> str:
        key = new_key(who="resident:r", route="POST /me/phone", key="key-0001", digest="d", clock=city.clock)
        outcome = await once(
            key,
            lambda held: service.bind_phone(city.needs, resident_id=made.id, wallet="wechat", code=code, key=held),
            status=200,
            calls_outside=True,
        )
        return outcome.result_id

    assert [await ask(), await ask()] == [made.id, made.id]


async def test_a_foreign_number_is_refused(city: World) -> None:
    made = await resident(city)
    code = city.wallet.give_phone_code(made.openid, "+8529123456")
    with pytest.raises(PhoneNotMainland):
        await service.bind_phone(city.needs, resident_id=made.id, wallet="wechat", code=code)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.WALLET


async def test_without_a_wallet_account_there_is_no_phone_to_ask_for(city: World) -> None:
    with pytest.raises(WalletMissing):
        await service.bind_phone(city.needs, resident_id="0" * 32, wallet="wechat", code="x")


async def test_a_new_phone_does_not_lower_the_level(city: World) -> None:
    made = await resident(city, real_name=True)
    code = city.wallet.give_phone_code(made.openid, "13900000001")
    await service.bind_phone(city.needs, resident_id=made.id, wallet="wechat", code=code)
    person = await queries.person(city.needs, resident_id=made.id)
    assert (person.phone, person.name, person.id_number) == ("13900000001", made.name, made.id_number)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.REAL_NAME


async def test_nobody_is_a_person_before_the_real_name(city: World) -> None:
    made = await resident(city, phone=True)
    with pytest.raises(RealNameRequired):
        await queries.person(city.needs, resident_id=made.id)


async def test_where_a_resident_is_reached(city: World) -> None:
    made = await resident(city)
    assert await queries.wallet_address(city.needs, resident_id=made.id, wallet="wechat") == made.openid
    assert await queries.wallet_address(city.needs, resident_id=made.id, wallet="alipay") is None


async def test_a_session_without_a_resident_is_a_fault_of_ours(city: World) -> None:
    with pytest.raises(LookupError):
        await queries.me(city.needs, resident_id="0" * 32)
