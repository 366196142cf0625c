"""Scenario 1 as applications: two co-owners sell a flat to a buyer; one trait builds on the other."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import KeyRing
from kit.db import fetch
from kit.files.store import FileStore, local_store
from kit.idempotency import RequestKey
from kit.idempotency.service import new_key
from kit.ids import new_id
from kit.outbox import Handler, Outbox
from server.adapters.fake_tax import FakeBureau
from server.applications import events, queries, service
from server.applications.ports import Needs
from server.applications.records import EntryDraft, Owner, PartyDraft, Unit
from server.applications.requirements import Requirements
from server.catalogue.loading import shipped_businesses, shipped_sources
from server.journeys.requirements import facts_for, requirements_for, shared_lines
from server.terms.codes import PartyRole
from server.terms.share import Share
from tests.support.moments import NOON

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00 a photograph"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR a drawn signature"
PDF = b"%PDF-1.7\n a contract"
H1, H1_NUMBER = "320114001002GB00012F00180302", "苏(2019)南京市不动产权第0000012号"
PRICE = 200_000_000
DISTRICT = "320114"
MESSAGE = "0192f3a45b6c7d8e9f0011223344550"
EVENTS = (
    events.ConfirmationRequested,
    events.PartyRefused,
    events.Submitted,
    events.Accepted,
    events.CorrectionAsked,
    events.Refused,
    events.FeeDue,
    events.FeeSettled,
    events.TaxCleared,
    events.Entered,
    events.Withdrawn,
    events.Expired,
)


@dataclass
class World:
    """Applications with their files in a folder, at a clock that stands still."""

    needs: Needs
    clock: FixedClock
    bureau: FakeBureau
    files: FileStore


async def _listen(house: Any, event: Any) -> None:
    """Nobody handles in these tests; the row is what counts."""


def world(directory: Path) -> World:
    clock = FixedClock(NOON)
    ring = KeyRing({"k1": b"1" * 32, "blind": b"b" * 32}, "k1")
    bureau, files = FakeBureau(clock), FileStore(local_store(directory), ring)
    outbox = Outbox([Handler(f"test.{e.name}", e, _listen) for e in EVENTS], clock=clock, wake=lambda: None)
    needs = Needs(clock=clock, outbox=outbox, cipher=Cipher(ring), files=files, taxes=bureau)
    return World(needs, clock, bureau, files)


@dataclass(frozen=True)
class Person:
    resident_id: str
    name: str
    id_number: str


def people() -> tuple[Person, Person, Person, Person]:
    """The two sellers, the buyer, and somebody else; new resident ids each time."""
    return (
        Person(new_id(), "张明", "32010219850312999X"),
        Person(new_id(), "李静", "320102198709219982"),
        Person(new_id(), "王强", "320106199003079973"),
        Person(new_id(), "陈晓", "320106199208159969"),
    )


def unit(**changes: Any) -> Unit:
    found = Unit(
        unit_code=H1,
        certificate_number=H1_NUMBER,
        district=DISTRICT,
        location="南京市雨花台区软件大道18号云锦花园3幢302室",
        usage="apartment",
        usage_text="成套住宅",
        area_centiare=8950,
        held_since=date(2019, 5, 10),
        co_ownership="joint",
        encumbered=False,
        version=1,
        owners=(
            Owner("张明", "resident_id", "32010219850312999X", None),
            Owner("李静", "resident_id", "320102198709219982", None),
        ),
    )
    return replace(found, **changes)


def party(person: Person, role: PartyRole = PartyRole.OBLIGOR, **changes: Any) -> PartyDraft:
    made = PartyDraft(
        role=role,
        name=person.name,
        id_kind="resident_id",
        id_number=person.id_number,
        phone="13800138000",
        resident_id=person.resident_id,
    )
    return replace(made, **changes)


def sale(persons: Sequence[Person]) -> list[PartyDraft]:
    """Two sellers who own jointly, one buyer of the whole."""
    first, second, buyer = persons[:3]
    return [party(first), party(second), party(buyer, PartyRole.RIGHT_HOLDER, share=Share.whole())]


def requirements(parties: Sequence[PartyDraft], of: Unit | None = None) -> Requirements:
    business, today = shipped_businesses()[0], date(2026, 3, 16)
    facts = facts_for(of or unit(), parties, on=today)
    return requirements_for(business, facts, shared_lines(business, shipped_sources(), facts, parties, on=today))


@dataclass(frozen=True)
class Case:
    """An application and who takes part."""

    id: str
    sellers: tuple[Person, Person]
    buyer: Person

    @property
    def opener(self) -> Person:
        return self.sellers[0]

    @property
    def all(self) -> tuple[Person, Person, Person]:
        return (*self.sellers, self.buyer)


async def draft(world: World, *, key: RequestKey | None = None, **changes: Any) -> Case:
    """An open draft; `changes` to what `open_draft` is called with, `of` the unit, `parties` the parties."""
    persons = people()
    parties = changes.pop("parties", None) or sale(persons)
    place = changes.pop("of", None) or unit()
    asked = requirements(parties, place)
    entry = EntryDraft(asked.business_type, "transfer", "state_land_and_house", place, tuple(range(len(parties))))
    given: dict[str, Any] = {
        "opened_by": parties[0].resident_id,
        "requirements": asked,
        "district": place.district,
        "entries": [entry],
        "parties": parties,
        "price_fen": PRICE,
        "sole_home_over_five_years": True,
    }
    made = await service.open_draft(world.needs, **{**given, **changes}, key=key)
    return Case(made, persons[:2], persons[2])


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def attach(
    world: World,
    case: Case,
    code: str,
    *,
    content: bytes = JPEG,
    declared: str = "image/jpeg",
    party_id: str | None = None,
    by: Person | None = None,
    key: RequestKey | None = None,
) -> str:
    return await service.attach_file(
        world.needs,
        application_id=case.id,
        resident_id=(by or case.opener).resident_id,
        code=code,
        party_id=party_id,
        declared=declared,
        chunks=chunks(content),
        key=key,
    )


async def ready(world: World) -> Case:
    """A draft with every required material."""
    case = await draft(world)
    record = await queries.full(world.needs, application_id=case.id)
    for line in record.requirements.materials:
        if line.required and line.form == "uploaded":
            for slot in [each.id for each in record.parties] if line.per_party else [None]:
                await attach(world, case, line.code, content=JPEG + line.code.encode(), party_id=slot)
    return case


async def asked(world: World) -> Case:
    """Everybody has been asked to confirm."""
    case = await ready(world)
    await service.request_confirmation(
        world.needs,
        application_id=case.id,
        resident_id=case.opener.resident_id,
        key=request_key(f"request-{case.id}", clock=world.clock),
    )
    return case


async def answers(world: World, case: Case, person: Person) -> dict[str, str]:
    """The first choice of each question put to the person."""
    found = await queries.inquiry(world.needs, application_id=case.id, resident_id=person.resident_id)
    return {question.code: question.choices[0].code for question in found.questions}


async def answer(world: World, case: Case, person: Person) -> str:
    """Answer the inquiry; gives the digest to confirm."""
    given = await answers(world, case, person)
    shown = await service.answer_inquiry(
        world.needs, application_id=case.id, resident_id=person.resident_id, answers=given
    )
    return shown.digest


async def confirm(world: World, case: Case, person: Person, **changes: Any) -> str:
    """Answer and confirm; `changes` to what `confirm` is called with."""
    digest = await answer(world, case, person)
    given: dict[str, Any] = {"digest": digest, "face_check_id": new_id(), "signature": PNG}
    return await service.confirm(
        world.needs, application_id=case.id, resident_id=person.resident_id, **{**given, **changes}
    )


async def confirmed(world: World) -> Case:
    """Everybody has confirmed, the unit is claimed."""
    case = await asked(world)
    for person in case.all:
        await confirm(world, case, person)
    return case


async def submitted(world: World) -> Case:
    """Submitted with a receipt number."""
    case = await confirmed(world)
    await service.submit(world.needs, application_id=case.id, resident_id=case.opener.resident_id)
    return case


async def accepted(world: World) -> Case:
    """Accepted by the registry."""
    case = await submitted(world)
    await accept(world, case)
    return case


async def accept(world: World, case: Case, *, message_id: str = MESSAGE + "1") -> None:
    await service.record_acceptance(
        world.needs,
        application_id=case.id,
        case_number="20260316-320114-000001",
        accepted_at=world.clock.now(),
        promised_on=date(2026, 3, 23),
        message_id=message_id,
    )


def request_key(name: str, *, clock: FixedClock) -> RequestKey:
    return new_key(who="resident:r1", route="POST /x", key=name, digest="d" * 64, clock=clock)


async def published(application_id: str) -> list[str]:
    """The names of the events of an application, in order."""
    rows = await fetch("SELECT event_name FROM kit_outbox WHERE ordering_key = ? ORDER BY id", [application_id])
    return [row["event_name"] for row in rows]


async def steps(application_id: str) -> list[str]:
    rows = await fetch("SELECT code FROM applications_step WHERE application_id = ? ORDER BY id", [application_id])
    return [row["code"] for row in rows]
