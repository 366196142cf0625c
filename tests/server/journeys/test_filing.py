from typing import Any

import pytest

from kit.audit.models import AuditRecord
from kit.errors import OutsideError, Problem
from server.adapters.registry_wire import encode_up
from server.applications import errors, queries, service
from server.applications.states import State
from server.catalogue.errors import BusinessUnknown
from server.identity.errors import FaceCheckMismatch, FaceCheckUsed
from server.journeys import filing, packaging
from server.registry.package import answered
from server.relay.errors import UnitNotFound
from server.terms.codes import PartyRole
from server.terms.messages import UpMessage
from server.terms.share import Share
from server.terms.unit_record import Owner
from tests.factories import applications as make
from tests.factories import filing as town
from tests.factories import identity
from tests.factories.applications import Case, Person
from tests.factories.filing import City
from tests.factories.identity import MadeResident


def _person(resident: MadeResident) -> Person:
    return Person(resident.id, resident.name, resident.id_number)


async def _open(city: City, **changes: Any) -> Case:
    made = await filing.open_application(city.house, resident_id=city.sellers[0].id, wish=town.wish(city, **changes))
    first, second = city.sellers
    return Case(made, (_person(first), _person(second)), _person(city.buyer))


async def _asked(city: City) -> Case:
    case = await _open(city)
    await _ask(city, case)
    return case


async def _ask(city: City, case: Case) -> None:
    """Upload everything and ask everybody to confirm."""
    record = await queries.full(city.files.needs, application_id=case.id)
    for line in record.requirements.materials:
        if line.required and line.form == "uploaded":
            for slot in [each.id for each in record.parties] if line.per_party else [None]:
                await make.attach(city.files, case, line.code, party_id=slot)
    await service.request_confirmation(city.files.needs, application_id=case.id, resident_id=case.opener.resident_id)


async def _confirm(city: City, case: Case, resident: MadeResident, **changes: Any) -> str:
    digest = await make.answer(city.files, case, _person(resident))
    check = changes.pop("check", None) or await identity.confirmed_check(city.people, resident, digest=digest)
    given = {"digest": digest, "face_check_id": check, "signature": make.PNG, **changes}
    await filing.confirm(city.house, application_id=case.id, resident_id=resident.id, **given)
    return str(check)


async def test_opening_asks_the_register_and_binds_everybody(city: City):
    case = await _open(city)
    record = await queries.full(city.files.needs, application_id=case.id)
    assert [party.resident_id for party in record.parties] == [resident.id for resident in city.all]
    assert record.unit == filing.unit_from(town.record())
    assert record.requirements.version == 1
    required = {line.code for line in record.requirements.materials if line.required}
    assert required >= {"M02", "M07", "M08", "M10", "M10H"}
    assert "M25" not in required


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"business_type": "WISHES"}, BusinessUnknown),
        ({"certificate_number": "苏(2019)南京市不动产权第0000013号"}, UnitNotFound),
        ({"price_fen": 0}, errors.PriceInvalid),
        ({"parties": []}, errors.OpenerNotAParty),
    ],
)
async def test_opening_is_refused_for_a_reason(city: City, changes: dict[str, Any], refusal: type[Problem]):
    with pytest.raises(refusal):
        await _open(city, **changes)


async def test_the_opener_goes_by_the_verified_name(city: City):
    parties = town.wish(city).parties
    with pytest.raises(errors.PartyNameDiffers):
        await _open(city, parties=[town.as_party(city.sellers[0], name="张鸣"), *parties[1:]])


async def test_the_business_says_how_many_take_part(city: City):
    with pytest.raises(errors.PartiesIncomplete) as refused:
        await _open(city, parties=town.wish(city).parties[:2])
    assert [error.message for error in refused.value.errors] == ["买方应为1至20位，现在填写了0位"]


async def test_the_sellers_are_whom_the_register_names(city: City):
    with pytest.raises(errors.OwnersDiffer):
        await _open(city, parties=town.wish(city).parties[::2])


async def test_who_tries_owners_names_is_seen_trying(city: City):
    with pytest.raises(errors.OwnersDiffer):
        await _open(city, parties=town.wish(city).parties[::2])
    with pytest.raises(UnitNotFound):
        await _open(city, certificate_number="苏(2019)南京市不动产权第0000099号")
    looks = await AuditRecord.filter(action="register.looked_up").order_by("id")
    assert {(look.actor_id, look.details) for look in looks} == {(city.sellers[0].id, '{"purpose":"application"}')}
    assert [look.result for look in looks] == ["ok", "not_found"]


async def test_shares_in_the_register_are_kept(city: City):
    owners = [(city.sellers[0], 7), (city.sellers[1], 3)]
    shown = tuple(Owner(each.name, "resident_id", each.id_number, part, 10) for each, part in owners)
    key = (make.H1, make.H1_NUMBER)
    city.register.units[key] = town.record(co_ownership="by_shares", owners=shown)
    sellers = [town.as_party(each, share=Share.of(part, 10)) for each, part in owners]
    case = await _open(city, parties=[*sellers, town.as_party(city.buyer, PartyRole.RIGHT_HOLDER)])
    record = await queries.full(city.files.needs, application_id=case.id)
    assert [str(owner.share) for owner in record.unit.owners] == ["7/10", "3/10"]
    assert "shares_agreed" in {question.code for question in record.requirements.questions}


async def test_a_register_that_is_down_opens_nothing(city: City):
    city.register.down = True
    with pytest.raises(OutsideError):
        await _open(city)
    found = await queries.list_for_resident(city.files.needs, resident_id=city.sellers[0].id)
    assert found == []


async def test_a_face_check_serves_exactly_what_it_was_opened_for(city: City):
    case = await _asked(city)
    other = await identity.confirmed_check(city.people, city.buyer, digest="0" * 64)
    with pytest.raises(FaceCheckMismatch):
        await _confirm(city, case, city.buyer, check=other)
    with pytest.raises(errors.StatementChanged):
        await _confirm(city, case, city.buyer, digest="0" * 64, check=other)
    with pytest.raises(errors.SignatureInvalid):
        await _confirm(city, case, city.buyer, signature=b"", check=other)
    check = await _confirm(city, case, city.buyer)
    with pytest.raises(errors.AlreadyConfirmed):
        await filing.confirm(
            city.house,
            application_id=case.id,
            resident_id=city.buyer.id,
            digest="0" * 64,
            face_check_id=check,
            signature=make.PNG,
        )


async def test_nothing_is_spent_before_the_inquiry_is_answered(city: City):
    case = await _asked(city)
    check = await identity.confirmed_check(city.people, city.buyer, digest="0" * 64)
    given = {"digest": "0" * 64, "face_check_id": check, "signature": make.PNG}
    with pytest.raises(errors.InquiryNotAnswered):
        await filing.confirm(city.house, application_id=case.id, resident_id=city.buyer.id, **given)


async def test_a_crash_after_the_check_was_used_is_healed_by_repeating(city: City, monkeypatch: pytest.MonkeyPatch):
    case = await _asked(city)
    digest = await make.answer(city.files, case, _person(city.buyer))
    check = await identity.confirmed_check(city.people, city.buyer, digest=digest)
    given = {"application_id": case.id, "resident_id": city.buyer.id, "digest": digest}

    async def crash(*_: object, **__: object) -> str:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(service, "confirm", crash)
        with pytest.raises(ConnectionResetError):
            await filing.confirm(city.house, **given, face_check_id=check, signature=make.PNG)
    await filing.confirm(city.house, **given, face_check_id=check, signature=make.PNG)
    await service.reopen(city.files.needs, application_id=case.id, resident_id=city.buyer.id)
    await service.request_confirmation(city.files.needs, application_id=case.id, resident_id=city.buyer.id)
    with pytest.raises(FaceCheckUsed):
        await _confirm(city, case, city.buyer, check=check)


async def test_who_was_written_down_under_another_name_does_not_confirm(city: City):
    parties = town.wish(city).parties
    wrong = town.as_party(city.buyer, PartyRole.RIGHT_HOLDER, name="王弱", share=Share.whole())
    case = await _open(city, parties=[*parties[:2], wrong])
    await _ask(city, case)
    digest = await make.answer(city.files, case, _person(city.buyer))
    with pytest.raises(errors.PartyNameDiffers):
        await filing.confirm(
            city.house,
            application_id=case.id,
            resident_id=city.buyer.id,
            digest=digest,
            face_check_id="0" * 32,
            signature=make.PNG,
        )


async def test_the_package_is_what_the_wire_takes(city: City):
    case = await _asked(city)
    for resident in city.all:
        await _confirm(city, case, resident)
    with pytest.raises(RuntimeError):
        await packaging.build_package(city.house, case.id)
    await service.submit(city.files.needs, application_id=case.id, resident_id=city.buyer.id)
    package = await packaging.build_package(city.house, case.id)
    encode_up(UpMessage(case.id, "case_package", case.id, city.files.clock.now(), package))
    (entry,) = package["entries"]
    assert [(party["role"], party["name"]) for party in entry["parties"]] == [
        ("obligor", "张明"),
        ("obligor", "李静"),
        ("right_holder", "王强"),
    ]
    assert (entry["register_version"], package["price_fen"]) == (1, make.PRICE)
    assert {each["party_position"] for each in package["materials"] if each["code"] == "M02"} == {0, 1, 2}
    assert [each["statement"]["me"]["party"] for each in package["confirmations"]] == [0, 1, 2]
    inquiries = [answered(each) for each in package["confirmations"]]
    assert [each.id_number for each in inquiries] == [resident.id_number for resident in city.all]
    assert all("true_intent" in {answer.code for answer in each.answers} for each in inquiries)
    record = await queries.full(city.files.needs, application_id=case.id)
    assert record.state is State.SUBMITTED
