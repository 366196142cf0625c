"""A resident's look into the register: only owners see a unit, and every look leaves a trace."""

from dataclasses import dataclass

from kit.audit.service import Actor, record
from kit.db import transactional
from server.identity import queries as residents
from server.journeys.house import House
from server.relay import queries as register
from server.relay.errors import UnitNotFound
from server.terms.id_document import ID_NUMBER_INDEX
from server.terms.unit_record import Owner, UnitRecord


@dataclass(frozen=True, slots=True)
class Lookup:
    """A unit, and which of its owners asks."""

    unit: UnitRecord
    me: Owner


async def look_up(house: House, *, resident_id: str, unit_code: str, certificate_number: str) -> Lookup:
    """Ask the register now; UNIT_NOT_FOUND unless the two belong together and the resident is one of the owners.

    OutsideError when the register cannot be asked.
    """
    person = await residents.person(house.identity, resident_id=resident_id)
    unit = await register.unit(house.relay, unit_code=unit_code, certificate_number=certificate_number)
    me = next(
        (owner for owner in (unit.owners if unit else ()) if _blind(house, owner) == person.id_number_blind), None
    )
    result = "not_found" if unit is None else "not_owner" if me is None else "ok"
    await trace(house, resident_id=resident_id, unit_code=unit_code, result=result)
    if unit is None or me is None:
        raise UnitNotFound
    return Lookup(unit, me)


def _blind(house: House, owner: Owner) -> str:
    return house.cipher.blind(owner.id_number, purpose=ID_NUMBER_INDEX)


@transactional
async def trace(
    house: House, *, resident_id: str, unit_code: str, result: str, purpose: str = "register_query"
) -> None:
    """Write down who looked at which unit, what for, and whether there was anything to see."""
    await record(
        actor=Actor("resident", resident_id),
        action="register.looked_up",
        subject=("unit", unit_code),
        result=result,
        details={"purpose": purpose},
        at=house.clock.now(),
    )
