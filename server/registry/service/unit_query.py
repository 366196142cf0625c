from datetime import timedelta

from tortoise.exceptions import IntegrityError

from kit.audit.service import record
from kit.db import transactional
from server.registry import queries
from server.registry.errors import QueryReplayed
from server.registry.models import RegistryQueryNonce
from server.registry.ports import Needs
from server.registry.service.receive_package import PLATFORM
from server.terms.unit_record import UnitRecord

_NONCES_KEPT = timedelta(hours=1)


async def answer_query(needs: Needs, *, unit_code: str, certificate_number: str, nonce: str) -> UnitRecord | None:
    """Answer the platform's live query once per nonce and leave a trace; None when unit and certificate do not match.

    QUERY_REPLAYED for a nonce that was answered: whoever repeats a caught query learns nothing.
    """
    found = await queries.unit(needs, unit_code=unit_code, certificate_number=certificate_number)
    try:
        await _trace(needs, unit_code=unit_code, nonce=nonce, found=found is not None)
    except IntegrityError as error:
        raise QueryReplayed from error
    return found


@transactional
async def _trace(needs: Needs, *, unit_code: str, nonce: str, found: bool) -> None:
    now = needs.clock.now()
    await RegistryQueryNonce.create(nonce=nonce, seen_at=now)
    await record(
        actor=PLATFORM,
        action="registry.unit_queried",
        subject=("unit", unit_code),
        result="found" if found else "not_found",
        at=now,
    )


@transactional
async def forget_nonces(needs: Needs) -> int:
    """Delete nonces whose signatures are long stale."""
    return await RegistryQueryNonce.filter(seen_at__lt=needs.clock.now() - _NONCES_KEPT).delete()
