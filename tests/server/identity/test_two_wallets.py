"""One person with WeChat and Alipay is one resident, whichever of them they are here with."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from kit.db import fetch
from server.adapters.absent import Absent
from server.adapters.fake_login import FakeAlipay
from server.identity import errors, queries, service
from server.identity.ports import WalletDoor, WalletIdentity
from server.identity.rules import FaceState, Level
from tests.factories import identity as make
from tests.factories.identity import PAGE, Both, MadeResident, resident, world

DIGEST = "d" * 64


@pytest.fixture
def both(db: object) -> Both:
    return Both()


async def joined(both: Both, *, openid: str = "a1") -> tuple[MadeResident, MadeResident, str]:
    """A resident of WeChat, the same one as they came with Alipay, and the check that joined them."""
    first = await resident(both.wechat, real_name=True)
    second = await resident(both.alipay, openid=openid, name=first.name, number=first.id_number)
    return first, second, await make.verify(both.alipay, second)


async def test_the_session_says_which_wallet_it_is_of(both: Both) -> None:
    for place, wallet in ((both.wechat, "wechat"), (both.alipay, "alipay")):
        who = await queries.authenticate(both.needs, token=(await resident(place)).token)
        assert who is not None
        assert (who.wallet, who.level) == (wallet, Level.WALLET)
    rows = await fetch("SELECT details FROM kit_audit WHERE action = 'identity.signed_in' ORDER BY at, id")
    assert len(rows) == 2


async def test_both_wallets_lead_to_one_resident(both: Both) -> None:
    first, second, _ = await joined(both)
    assert first.id != second.id
    for token, wallet in ((first.token, "wechat"), (second.token, "alipay")):
        who = await queries.authenticate(both.needs, token=token)
        assert who is not None
        assert (who.id, who.wallet, who.level) == (first.id, wallet, Level.REAL_NAME)
    assert await queries.wallet_address(both.needs, resident_id=first.id, wallet="wechat") == first.openid
    assert await queries.wallet_address(both.needs, resident_id=first.id, wallet="alipay") == "a1"
    again = await resident(both.alipay, openid="a1")
    assert again.id == first.id
    assert await fetch("SELECT id FROM identity_resident WHERE merged_into IS NULL") == [{"id": first.id}]


async def test_the_way_round_is_the_same(both: Both) -> None:
    first = await resident(both.alipay, real_name=True)
    second = await resident(both.wechat, name=first.name, number=first.id_number)
    await make.verify(both.wechat, second)
    who = await queries.authenticate(both.needs, token=second.token)
    assert who is not None
    assert (who.id, who.wallet) == (first.id, "wechat")


async def test_a_second_alipay_account_of_one_person_is_refused(both: Both) -> None:
    first, _, _ = await joined(both)
    third = await resident(both.alipay, openid="a2", name=first.name, number=first.id_number)
    with pytest.raises(errors.IdentityAlreadyBound):
        await make.verify(both.alipay, third)


async def test_a_phone_bound_before_joining_is_not_lost(both: Both) -> None:
    first = await resident(both.wechat, real_name=True)
    second = await resident(both.alipay, name=first.name, number=first.id_number)
    proof = both.alipay_wallet.give_phone("13900000001")
    await service.bind_phone(
        both.needs, resident_id=second.id, wallet="alipay", response=proof.response, sign=proof.sign
    )
    await make.verify(both.alipay, second)
    person = await queries.person(both.needs, resident_id=first.id)
    assert person.phone == "13900000001"
    assert (await queries.me(both.needs, resident_id=first.id)).phone_masked == "139****0001"


async def test_a_phone_bound_already_stays(both: Both) -> None:
    first = await resident(both.wechat, phone=True, real_name=True)
    second = await resident(both.alipay, name=first.name, number=first.id_number)
    proof = both.alipay_wallet.give_phone("13900000001")
    await service.bind_phone(
        both.needs, resident_id=second.id, wallet="alipay", response=proof.response, sign=proof.sign
    )
    await make.verify(both.alipay, second)
    assert (await queries.person(both.needs, resident_id=first.id)).phone == first.phone


async def test_the_answer_that_joined_them_can_be_asked_again_by_either(both: Both) -> None:
    first, second, check_id = await joined(both)
    stranger = await resident(both.wechat)
    for who in (second.id, first.id):  # its session was the one's then and is the other's now
        assert await service.settle_face_check(both.needs, resident_id=who, check_id=check_id) == check_id
        view = await queries.face_check(both.needs, resident_id=who, check_id=check_id)
        assert view.state is FaceState.PASSED
    with pytest.raises(errors.FaceCheckNotFound):
        await service.settle_face_check(both.needs, resident_id=stranger.id, check_id=check_id)
    with pytest.raises(errors.FaceCheckNotFound):
        await queries.face_check(both.needs, resident_id=stranger.id, check_id=check_id)


async def test_a_check_is_opened_and_ended_at_the_wallet_one_is_here_with(both: Both) -> None:
    first, _, _ = await joined(both)
    seen = {}
    for place in (both.wechat, both.alipay):
        check_id = await service.open_face_check(
            both.needs,
            resident_id=first.id,
            wallet=place.wallet.wallet,
            action="confirm_application",
            digest=DIGEST,
        )
        view = await queries.face_check(both.needs, resident_id=first.id, check_id=check_id)
        seen[place.wallet.wallet] = view.verify_url
        place.face.look(view.verify_id)  # KeyError if it had been opened at the other's
        await service.settle_face_check(both.needs, resident_id=first.id, check_id=check_id)
        view = await queries.face_check(both.needs, resident_id=first.id, check_id=check_id)
        assert view.state is FaceState.PASSED
    assert seen["wechat"] is None
    assert (seen["alipay"] or "").startswith(PAGE)


async def test_without_an_account_of_that_wallet_nothing_is_opened(both: Both) -> None:
    made = await resident(both.wechat, real_name=True)
    with pytest.raises(errors.WalletMissing):
        await service.open_face_check(
            both.needs, resident_id=made.id, wallet="alipay", action="confirm_application", digest=DIGEST
        )
    proof = both.alipay_wallet.give_phone("13900000001")
    with pytest.raises(errors.WalletMissing):
        await service.bind_phone(
            both.needs, resident_id=made.id, wallet="alipay", response=proof.response, sign=proof.sign
        )
    assert (await queries.person(both.needs, resident_id=made.id)).phone is None


class Older(FakeAlipay):
    """An app that was given user ids, and from some day on open ids too."""

    told = WalletIdentity("alipay", "2021", openid="2088000000000009", user_id="2088000000000009")

    async def exchange(self, code: str) -> WalletIdentity:
        await super().exchange(code)
        return self.told


async def test_an_account_is_found_again_when_alipay_begins_to_give_open_ids(db: object) -> None:
    wallet = Older()
    city = world(wallet=wallet)
    first = await resident(city)
    assert await queries.wallet_address(city.needs, resident_id=first.id, wallet="alipay") == "2088000000000009"
    wallet.told = replace(wallet.told, openid="o-new")
    second = await resident(city)
    assert second.id == first.id
    assert await queries.wallet_address(city.needs, resident_id=first.id, wallet="alipay") == "o-new"
    wallet.told = replace(wallet.told, user_id=None)
    assert (await resident(city)).id == first.id
    assert len(await fetch("SELECT id FROM identity_wallet_account")) == 1


async def test_nobody_is_found_by_anothers_user_id(db: object) -> None:
    wallet = Older()
    city = world(wallet=wallet)
    first = await resident(city)
    wallet.told = WalletIdentity("alipay", "2021", openid="o-2", user_id="2088000000000010")
    assert (await resident(city)).id != first.id


async def test_a_check_opened_in_one_wallet_is_ended_there_from_the_other(both: Both) -> None:
    first, _, _ = await joined(both)
    check_id = await service.open_face_check(
        both.needs, resident_id=first.id, wallet="alipay", action="confirm_application", digest=DIGEST
    )
    await make.look(both.alipay, first, check_id)
    down: Any = Absent("wechat")
    quiet = {**both.needs.wallets, "wechat": WalletDoor(down, down, down)}
    await service.settle_face_check(replace(both.needs, wallets=quiet), resident_id=first.id, check_id=check_id)
    view = await queries.face_check(both.needs, resident_id=first.id, check_id=check_id)
    assert view.state is FaceState.PASSED


async def _told(both: Both) -> list[dict[str, Any]]:
    rows = await fetch("SELECT payload FROM kit_outbox WHERE event_name = 'identity.wallet_joined'")
    return [orjson.loads(row["payload"]) for row in rows]


async def test_that_a_wallet_joined_is_to_be_told_once(both: Both) -> None:
    first, second, check_id = await joined(both)
    for who in (second.id, first.id):
        await service.settle_face_check(both.needs, resident_id=who, check_id=check_id)
    wanted = {"resident_id": first.id, "wallet": "alipay", "check_id": check_id, "brought_phone": False}
    assert await _told(both) == [wanted]


async def test_who_proves_the_name_alone_is_told_of_no_wallet(both: Both) -> None:
    await make.verify(both.wechat, await resident(both.wechat, real_name=True))
    assert await _told(both) == []
