"""An office with many slots of one group, for the figures of appointments."""

import asyncio
from dataclasses import dataclass

from bench.house import House
from bench.rows import sign_in
from kit.clock import SystemClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import load_key_ring
from kit.db.connection import credentials, database
from kit.outbox import Outbox
from server.appointments import service
from server.appointments.content import Offices
from server.appointments.models import AppointmentSlot, Office
from server.appointments.ports import Needs
from server.catalogue.ports import Needs as CatalogueNeeds
from server.database import APPS
from server.journeys.opening_days import CatalogueWorkingDays

BUSINESS = "TRANSFER_RESALE"
GROUP = "transfer"


@dataclass(frozen=True, slots=True)
class Counters:
    """The office, its slots of the group in order, and a bearer token for each resident."""

    office_id: str
    slot_ids: list[str]
    tokens: list[str]


def opened(house: House, *, capacity: int, days_ahead: int, residents: int) -> Counters:
    """Open the office of a prepared installation and let so many residents in."""
    return asyncio.run(_opened(house, _offices(capacity, days_ahead), residents))


async def _opened(house: House, offices: Offices, residents: int) -> Counters:
    clock, cipher = SystemClock(), Cipher(load_key_ring(house.keys))
    async with database(credentials(house.database), APPS):
        catalogue = CatalogueNeeds(clock=clock)
        outbox = Outbox((), clock=clock, wake=lambda: None)
        needs = Needs(clock, outbox, cipher, CatalogueWorkingDays(catalogue))
        await service.load_offices(needs, offices=offices)
        office = await Office.get(code="bench")
        slots = AppointmentSlot.filter(office_id=office.id, business_group=GROUP, starts_at__gt=clock.now())
        ids = [str(found) for found in await slots.order_by("starts_at").values_list("id", flat=True)]
        tokens = [each.token for each in await sign_in(cipher, count=residents)]
    return Counters(office.id, ids, tokens)


def _offices(capacity: int, days_ahead: int) -> Offices:
    return Offices.model_validate(
        {
            "groups": [
                {"code": GROUP, "letter": "A", "name": "转移登记", "businesses": [BUSINESS]},
                {"code": "other", "letter": "B", "name": "其他登记", "businesses": ["REISSUE"]},
            ],
            "offices": [
                {
                    "code": "bench",
                    "district": "320102",
                    "name": "测试受理点",
                    "address": "测试路1号",
                    "phone": "025-00000000",
                    "map_hint": "测试站1号口",
                    "opening_hours": [{"begins": "09:00", "ends": "12:00"}, {"begins": "13:30", "ends": "17:00"}],
                    "slot_minutes": 30,
                    "days_ahead": days_ahead,
                    "counters": [
                        {"group": GROUP, "counters": 4, "capacity": capacity},
                        {"group": "other", "counters": 1, "capacity": 4},
                    ],
                }
            ],
        }
    )
