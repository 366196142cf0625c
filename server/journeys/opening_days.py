"""On which days offices work: the catalogue's table of working days, for the appointments' port."""

from dataclasses import dataclass

from server.catalogue import queries as catalogue
from server.catalogue.ports import Needs
from server.terms.working_days import WorkCalendar


@dataclass(frozen=True, slots=True)
class CatalogueWorkingDays:
    """Implements `appointments.ports.WorkingDays`."""

    catalogue: Needs

    async def calendar(self) -> WorkCalendar:
        return await catalogue.working_days(self.catalogue)
