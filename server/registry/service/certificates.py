from collections.abc import Collection

from kit.db import transactional
from server.registry.models import RegistryHolder, RegistryRight
from server.registry.ports import Needs


@transactional
async def record_certificate(
    needs: Needs, *, right_id: str, positions: Collection[int], certificate_id: str, number: str
) -> None:
    """Note on the holders at these positions which certificate was made for them; again changes nothing."""
    right = await RegistryRight.filter(id=right_id).select_for_update().get()
    changed = (
        await RegistryHolder.filter(right_id=right_id, position__in=list(positions))
        .exclude(certificate_number=number)
        .update(certificate_id=certificate_id, certificate_number=number)
    )
    if changed:
        right.version += 1
        right.updated_at = needs.clock.now()
        await right.save()
