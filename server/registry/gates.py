from server.registry.models import RegistryCase, RegistryCaseEntry, RegistryTrack
from server.registry.ports import Gate, Needs, Procedure
from server.registry.rules import Blocker


async def procedure_of(needs: Needs, case: RegistryCase, business_type: str) -> Procedure:
    """How this business goes, under the catalogue version that the case was filed under."""
    return await needs.procedures.of(
        business_type=business_type, district=case.district, version=case.catalogue_version
    )


async def blockers(needs: Needs, case: RegistryCase, *, gate: Gate) -> list[Blocker]:
    """The tracks that hold the case up at this gate, each once, whichever entry asks for it."""
    states = {track.code: str(track.state) for track in await RegistryTrack.filter(case_id=case.id)}
    types = {
        entry.business_type: None for entry in await RegistryCaseEntry.filter(case_id=case.id).order_by("position")
    }
    found: dict[str, Blocker] = {}
    for business_type in types:
        procedure = await procedure_of(needs, case, business_type)
        for blocker in procedure.blockers(states, gate=gate):
            found.setdefault(blocker.track, blocker)
    return list(found.values())
