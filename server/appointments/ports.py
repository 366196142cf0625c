import time
from dataclasses import dataclass, field
from typing import Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.outbox import Outbox
from server.appointments.content import Plan
from server.terms.working_days import WorkCalendar

FRESH_SECONDS = 60.0


class WorkingDays(Protocol):
    """On which days offices work at all."""

    async def calendar(self) -> WorkCalendar:
        """The table in force."""
        ...


@dataclass(frozen=True, slots=True)
class OfficeRecord:
    """An office as everybody may know it."""

    id: str
    district: str
    name: str
    address: str
    phone: str
    map_hint: str
    plan: Plan


class OfficeMemory:
    """Offices remembered for a minute: they change a few times a year and are asked for with every slot."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, OfficeRecord]] = {}

    def find(self, office_id: str) -> OfficeRecord | None:
        kept = self._kept.get(office_id)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def keep(self, office: OfficeRecord) -> None:
        """Only offices that exist are kept, so that their number bounds the memory."""
        self._kept[office.id] = (time.monotonic() + FRESH_SECONDS, office)

    def clear(self) -> None:
        self._kept.clear()


@dataclass(frozen=True, slots=True)
class Needs:
    """What appointments are built on; the memory belongs to the process."""

    clock: Clock
    outbox: Outbox
    cipher: Cipher
    working_days: WorkingDays
    memory: OfficeMemory = field(default_factory=OfficeMemory)
