"""Taxes: an accepted sale is declared; the bureau's word that all is cleared opens the way to register entry."""

from server.applications import service as applications
from server.applications.events import Accepted, TaxNoticeArrived
from server.journeys.house import House


async def declare(house: House, event: Accepted) -> None:
    """Declare the sale; repeated after a crash, the bureau answers the same."""
    await applications.declare_taxes(house.applications, application_id=event.application_id)


async def record(house: House, event: TaxNoticeArrived) -> None:
    """Work on the bureau's notice."""
    await applications.record_tax_notice(house.applications, inbox_id=event.inbox_id)
