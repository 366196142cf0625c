"""A resident proves who they are: applications that name them become theirs to see and to confirm."""

from server.applications import service as applications
from server.identity import queries as residents
from server.identity.events import RealNameVerified
from server.journeys.house import House


async def bind_parties(house: House, event: RealNameVerified) -> None:
    """Bind the resident to every party with their ID number; again is harmless."""
    person = await residents.person(house.identity, resident_id=event.resident_id)
    await applications.bind_parties(
        house.applications, resident_id=event.resident_id, id_number_blind=person.id_number_blind
    )
