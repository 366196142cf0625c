"""What stands in the register where a case wants to enter: the unit locked, the right as the application saw it."""

from collections.abc import Sequence

from server.registry import rules
from server.registry.errors import RegisterChanged
from server.registry.models import RegistryCase, RegistryCaseEntry, RegistryHolder, RegistryRight, RegistryUnit
from server.registry.ports import Needs
from server.registry.rules import RightState
from server.registry.sealed import parties_of
from server.terms.id_document import ID_NUMBER_INDEX


async def locked_units(case: RegistryCase, entries: Sequence[RegistryCaseEntry]) -> dict[str, RegistryUnit]:
    """The entries' units by code, locked in one order; REGISTER_CHANGED for one that is not in the register."""
    codes = {entry.unit_code for entry in entries}
    units = await RegistryUnit.filter(unit_code__in=sorted(codes)).order_by("id").select_for_update()
    if {unit.unit_code for unit in units} != codes or any(unit.district != case.district for unit in units):
        raise RegisterChanged
    return {unit.unit_code: unit for unit in units}


async def standing_right(needs: Needs, entry: RegistryCaseEntry, unit: RegistryUnit) -> RegistryRight:
    """The right that the entry ends; REGISTER_CHANGED unless certificate, version and owners are as applied for."""
    right = await RegistryRight.get_or_none(unit_id=unit.id, right_type=entry.right_type, state=RightState.CURRENT)
    if right is None or entry.register_version not in {None, right.version}:
        raise RegisterChanged
    holders = await RegistryHolder.filter(right_id=right.id)
    if entry.certificate_number not in {holder.certificate_number for holder in holders}:
        raise RegisterChanged
    rules.check_owners(
        registered={holder.id_number_blind for holder in holders},
        obligors={
            needs.cipher.blind(party.id_number, purpose=ID_NUMBER_INDEX)
            for party in rules.obligors(parties_of(needs.cipher, entry))
        },
    )
    return right
