"""The part of the house that filing needs: identity, the catalogue, applications, and a register in memory."""

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kit.clock import Clock
from kit.errors import OutsideError
from server.adapters.fake_departments import FakeDepartments
from server.adapters.registry_wire import RegistryWire
from server.catalogue import service as catalogue
from server.catalogue.ports import Needs as CatalogueNeeds
from server.journeys.filing import Wish
from server.relay.ports import Needs as RelayNeeds
from server.sharing.ports import Needs as SharingNeeds
from server.terms.codes import PartyRole
from server.terms.evidence import Household, MaritalStatus, Marriage, Member, Relation
from server.terms.messages import UpMessage
from server.terms.share import Share
from server.terms.unit_record import Owner, UnitRecord
from tests.factories import applications, identity
from tests.factories.applications import H1, H1_NUMBER, PRICE, party, unit
from tests.factories.identity import MadeResident


def record(**changes: Any) -> UnitRecord:
    """Unit H1 as the register answers."""
    shown = unit()
    found = UnitRecord(
        unit_code=shown.unit_code,
        district=shown.district,
        location=shown.location,
        usage=shown.usage,
        usage_text=shown.usage_text,
        right_type="state_land_and_house",
        area_centiare=shown.area_centiare,
        certificate_number=shown.certificate_number,
        co_ownership=shown.co_ownership,
        held_since=shown.held_since,
        version=shown.version,
        encumbered=False,
        owners=tuple(Owner(each.name, each.id_kind, each.id_number, None, None) for each in shown.owners),
    )
    return replace(found, **changes)


@dataclass
class FakeRegister:
    """Knows the units given to it; `down` makes it unreachable."""

    units: dict[tuple[str, str], UnitRecord] = field(default_factory=lambda: {(H1, H1_NUMBER): record()})
    down: bool = False

    async def query_unit(self, *, unit_code: str, certificate_number: str) -> UnitRecord | None:
        if self.down:
            raise OutsideError("registry", "TIMEOUT", "no answer in time", permanent=False)
        return self.units.get((unit_code, certificate_number))

    async def put_material(self, *, application_id: str, scope: str, digest: str) -> None:
        raise AssertionError((application_id, scope, digest))

    async def send(self, message: UpMessage) -> None:
        raise AssertionError(message.kind)


@dataclass
class City:
    """A house with three residents under their real names: two owners of H1, and a buyer."""

    house: Any
    people: identity.World
    files: applications.World
    register: FakeRegister
    departments: FakeDepartments
    sellers: tuple[MadeResident, MadeResident]
    buyer: MadeResident

    @property
    def all(self) -> tuple[MadeResident, MadeResident, MadeResident]:
        return (*self.sellers, self.buyer)


def known_departments(clock: Clock) -> FakeDepartments:
    """The sellers are married to each other, the buyer is divorced and lives with a child."""
    first, second, buyer, _ = applications.people()
    since = date(2012, 5, 20)
    return FakeDepartments(
        clock,
        marriages={
            first.id_number: (first.name, Marriage(MaritalStatus.MARRIED, since, second.name, "320***********9982")),
            second.id_number: (second.name, Marriage(MaritalStatus.MARRIED, since, first.name, "320***********999X")),
            buyer.id_number: (buyer.name, Marriage(MaritalStatus.DIVORCED, date(2021, 3, 9))),
        },
        households={
            buyer.id_number: (
                buyer.name,
                Household(
                    (Member(buyer.name, Relation.SELF, minor=False), Member("王小宝", Relation.CHILD, minor=True))
                ),
            )
        },
    )


async def city(directory: Path) -> City:
    files = applications.world(directory)
    people = identity.world(clock=files.clock)
    guide = CatalogueNeeds(clock=files.clock)
    await catalogue.load_shipped(guide)
    register = FakeRegister()
    departments = known_departments(files.clock)
    needs = files.needs
    relay = RelayNeeds(
        clock=files.clock, outbox=needs.outbox, cipher=needs.cipher, registry=register, codec=RegistryWire()
    )
    house = SimpleNamespace(
        clock=files.clock,
        cipher=needs.cipher,
        identity=people.needs,
        catalogue=guide,
        applications=needs,
        relay=relay,
        sharing=SharingNeeds(clock=files.clock, cipher=needs.cipher, identity=departments, lookup=departments),
    )
    made = [
        await identity.resident(people, real_name=True, name=person.name, number=person.id_number)
        for person in applications.people()[:3]
    ]
    return City(house, people, files, register, departments, (made[0], made[1]), made[2])


def as_party(resident: MadeResident, role: PartyRole = PartyRole.OBLIGOR, **changes: Any) -> Any:
    person = applications.Person("", resident.name, resident.id_number)
    return party(person, role, resident_id=None, **changes)


def wish(made: City, **changes: Any) -> Wish:
    """Scenario 1 as typed in by a seller."""
    parties = [*map(as_party, made.sellers), as_party(made.buyer, PartyRole.RIGHT_HOLDER, share=Share.whole())]
    typed = Wish("TRANSFER_RESALE", H1, H1_NUMBER, PRICE, sole_home_over_five_years=True, parties=parties)
    return replace(typed, **changes)
