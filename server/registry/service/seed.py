from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from kit.clock import SHANGHAI
from kit.db import transactional
from kit.ids import new_id
from server.registry.models import RegistryRight, RegistryUnit
from server.registry.package import Party
from server.registry.ports import Needs
from server.registry.sealed import seal_location
from server.registry.service.enter import add_right
from server.terms.codes import RegistrationType, RightType
from server.terms.unit_code import UnitCode


@dataclass(frozen=True, slots=True)
class SeedOwner:
    """An owner to begin with; shares both None where they own together without shares."""

    name: str
    id_kind: str
    id_number: str
    kind: str = "person"
    share_numerator: int | None = None
    share_denominator: int | None = None


@transactional
async def seed_unit(
    needs: Needs, *, unit_code: str, location: str, held_since: date, owners: tuple[SeedOwner, ...], **facts: Any
) -> str:
    """Enter a unit with its owners as if it had always been there, and answer the right's id; again changes nothing.

    `facts` are further columns of the unit, areas in 0.01 m2. For a register that starts empty.
    """
    code = UnitCode.parse(unit_code)
    now = needs.clock.now()
    unit = await RegistryUnit.get_or_none(unit_code=code.code)
    if unit is not None:
        # A later owner may hold it by now: what was seeded is the first right it ever had.
        first = await RegistryRight.filter(unit_id=unit.id).order_by("id").first()
        if first is not None:
            return str(first.id)
        raise RuntimeError("a unit without a right is not one of ours")
    unit_id = new_id()
    unit = await RegistryUnit.create(
        id=unit_id,
        unit_code=code.code,
        district=code.district().code,
        location_sealed=seal_location(needs.cipher, unit_id, location),
        created_at=now,
        updated_at=now,
        **facts,
    )
    right = await add_right(
        needs,
        unit=unit,
        right_type=RightType.STATE_LAND_AND_HOUSE,
        entry_kind="transfer",
        registration_type=RegistrationType.TRANSFER,
        holders=tuple(_as_party(owner) for owner in owners),
        price_fen=None,
        previous_id=None,
        now=datetime.combine(held_since, time(12), SHANGHAI).astimezone(UTC),
    )
    return str(right.id)


def _as_party(owner: SeedOwner) -> Party:
    return Party(
        role="right_holder",
        kind=owner.kind,
        name=owner.name,
        id_kind=owner.id_kind,
        id_number=owner.id_number,
        phone="",
        share_numerator=owner.share_numerator,
        share_denominator=owner.share_denominator,
    )
