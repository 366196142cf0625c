from typing import Any

import pytest

from kit.db import fetch
from kit.errors import Problem
from kit.idempotency import once
from kit.ids import new_id
from kit.web.errors import VersionStale
from server.applications import errors, queries, service
from server.applications.states import PartyState, State
from server.terms.codes import PartyRole
from tests.factories import applications as make
from tests.factories.applications import World


async def test_a_draft_holds_what_was_typed_in_and_what_the_register_said(city: World):
    case = await make.draft(city)
    record = await queries.full(city.needs, application_id=case.id)
    assert (record.state, record.version, record.number) == (State.DRAFT, 1, None)
    assert (record.district, record.mode, record.origin) == ("320114", "zero_visit", "wallet")
    assert record.unit == make.unit()
    assert [(each.name, each.role, each.state) for each in record.parties] == [
        ("张明", PartyRole.OBLIGOR, PartyState.WAITING),
        ("李静", PartyRole.OBLIGOR, PartyState.WAITING),
        ("王强", PartyRole.RIGHT_HOLDER, PartyState.WAITING),
    ]
    assert str(record.parties[2].share) == "1/1"
    assert record.parties[0].phone == "13800138000"
    assert record.entries[0].registration_type == "transfer"


async def test_no_name_number_phone_or_address_lies_in_clear(city: World):
    case = await make.submitted(city)
    tables = ("application", "entry", "party", "role", "material", "confirmation", "claim", "step")
    kept = ""
    for table in tables:
        kept += str(await fetch(f"SELECT * FROM applications_{table}"))  # noqa: S608 - constants
    for secret in ("张明", "王强", "32010219850312999X", "13800138000", "软件大道"):
        assert secret not in kept
    assert case.id in kept


async def test_only_parties_see_an_application(city: World):
    case = await make.draft(city)
    with pytest.raises(errors.ApplicationNotFound):
        await queries.for_resident(city.needs, application_id=case.id, resident_id=new_id())
    with pytest.raises(errors.ApplicationNotFound):
        await queries.progress(city.needs, application_id=case.id, resident_id=new_id())
    with pytest.raises(errors.ApplicationNotFound):
        await queries.full(city.needs, application_id=new_id())
    assert await queries.list_for_resident(city.needs, resident_id=new_id()) == []
    assert (await queries.for_resident(city.needs, application_id=case.id, resident_id=case.buyer.resident_id)).id


async def test_the_list_goes_on_where_it_stopped(city: World):
    persons = make.people()
    cases = [await make.draft(city, parties=make.sale(persons)) for _ in range(3)]
    newest = await queries.list_for_resident(city.needs, resident_id=persons[0].resident_id, limit=2)
    assert [record.id for record in newest] == [cases[2].id, cases[1].id]
    rest = await queries.list_for_resident(city.needs, resident_id=persons[0].resident_id, after=newest[-1].id)
    assert [record.id for record in rest] == [cases[0].id]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"price_fen": 0}, errors.PriceInvalid),
        ({"opened_by": "somebody"}, errors.OpenerNotAParty),
        ({"of": make.unit(owners=make.unit().owners[:1])}, errors.OwnersDiffer),
    ],
)
async def test_a_draft_that_does_not_fit_leaves_nothing(city: World, changes: dict[str, Any], refusal: type[Problem]):
    with pytest.raises(refusal):
        await make.draft(city, **changes)
    assert await fetch("SELECT id FROM applications_application") == []


async def test_opening_twice_under_one_key_opens_once(city: World):
    async def command(key: Any) -> str:
        return (await make.draft(city, key=key)).id

    first = await once(make.request_key("open-1234", clock=city.clock), command, status=201)
    again = await once(make.request_key("open-1234", clock=city.clock), command, status=201)
    assert (again.result_id, again.replayed) == (first.result_id, True)
    assert len(await fetch("SELECT id FROM applications_application")) == 1


async def test_a_draft_is_edited_by_whoever_saw_its_latest_version(city: World):
    case = await make.draft(city)
    edit = {"application_id": case.id, "resident_id": case.buyer.resident_id}
    await service.change(city.needs, **edit, version=1, price_fen=5)
    await service.change(city.needs, **edit, version=2, sole_home_over_five_years=False)
    record = await queries.full(city.needs, application_id=case.id)
    assert (record.price_fen, record.sole_home_over_five_years, record.version) == (5, False, 3)
    with pytest.raises(VersionStale):
        await service.change(city.needs, **edit, version=2, price_fen=6)
    with pytest.raises(errors.PriceInvalid):
        await service.change(city.needs, **edit, version=3, price_fen=0)


async def test_what_was_asked_to_be_confirmed_is_not_edited(city: World):
    case = await make.asked(city)
    record = await queries.full(city.needs, application_id=case.id)
    with pytest.raises(errors.NotEditable):
        await service.change(
            city.needs,
            application_id=case.id,
            resident_id=case.opener.resident_id,
            version=record.version,
            price_fen=5,
        )


async def test_residents_are_bound_to_their_parties_once_they_are_known(city: World):
    persons = make.people()
    parties = make.sale(persons)
    unknown = make.party(persons[2], PartyRole.RIGHT_HOLDER, resident_id=None)
    case = await make.draft(city, parties=[*parties[:2], unknown])
    blind = city.needs.cipher.blind(persons[2].id_number, purpose="id_number")
    newcomer = new_id()
    for expected in (1, 0):
        assert await service.bind_parties(city.needs, resident_id=newcomer, id_number_blind=blind) == expected
    assert (await queries.for_resident(city.needs, application_id=case.id, resident_id=newcomer)).id == case.id
    found = await queries.parties_of(city.needs, application_id=case.id)
    assert [(resident, role) for _, resident, role in found] == [
        (persons[0].resident_id, "obligor"),
        (persons[1].resident_id, "obligor"),
        (newcomer, "right_holder"),
    ]
    with pytest.raises(errors.ApplicationNotFound):
        await queries.parties_of(city.needs, application_id=new_id())
