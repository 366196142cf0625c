from collections.abc import AsyncIterator
from dataclasses import dataclass

from kit.audit.service import Actor, record
from kit.db import transactional
from server.registry import rules
from server.registry.errors import MaterialNotFound
from server.registry.models import RegistryMaterial
from server.registry.ports import Needs
from server.registry.service.decision import locked_case
from server.terms.scope import Scope


@dataclass(frozen=True, slots=True)
class OpenedMaterial:
    """A material's bytes in clear, block by block."""

    mime: str
    size: int
    chunks: AsyncIterator[bytes]


async def open_material(needs: Needs, *, staff_id: str, scope: Scope, case_id: str, material_id: str) -> OpenedMaterial:
    """Open a material for an officer, leaving a trace; CASE_NOT_FOUND, MATERIAL_NOT_FOUND."""
    application_id, material = await _trace(
        needs, staff_id=staff_id, scope=scope, case_id=case_id, material_id=material_id
    )
    chunks = await needs.files.open(scope=rules.material_scope(application_id), digest=material.digest)
    return OpenedMaterial(material.mime, material.size, chunks)


@transactional
async def _trace(
    needs: Needs, *, staff_id: str, scope: Scope, case_id: str, material_id: str
) -> tuple[str, RegistryMaterial]:
    case = await locked_case(case_id=case_id, scope=scope)
    material = await RegistryMaterial.get_or_none(id=material_id, case_id=case.id)
    if material is None:
        raise MaterialNotFound
    await record(
        actor=Actor("staff", staff_id),
        action="registry.material_viewed",
        subject=("case", case.id),
        details={"material": material.id, "code": material.code},
        at=needs.clock.now(),
    )
    return case.application_id, material
