from kit.db import transactional
from server.applications.models import ApplicationParty
from server.applications.ports import Needs


@transactional
async def bind_parties(needs: Needs, *, resident_id: str, id_number_blind: str) -> int:
    """Give a resident, now known by their real name, the parties that were entered for them; answers how many."""
    unbound = ApplicationParty.filter(id_number_blind=id_number_blind, resident_id__isnull=True)
    return await unbound.update(resident_id=resident_id)
