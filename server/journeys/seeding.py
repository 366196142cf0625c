"""A register to try things with: the units of the scenarios, each with a certificate of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from server.appointments import service as appointments
from server.appointments.content import shipped
from server.journeys.house import House
from server.journeys.issuing import issue_one, request_of
from server.registry import service as registry
from server.registry.due import DueCertificates, seeded_certificate
from server.registry.service.seed import SeedOwner

_P1 = SeedOwner("张明", "resident_id", "32010219850312999X")
_P2 = SeedOwner("李静", "resident_id", "320102198709219982")
_P7 = SeedOwner("周老", "resident_id", "32010419401001999X")
_E2 = SeedOwner("演示房地产开发有限公司", "business_licence", "91320100MA9XXXXX3Q", kind="organisation")
_HOME = {
    "usage": "residential",
    "land_usage_text": "城镇住宅用地",
    "land_nature": "granted",
    "house_nature": "market",
    "structure": "reinforced_concrete",
    "land_area_shared": True,
    "term_text": "国有建设用地使用权 2008年05月20日起2078年05月19日止",
}


@dataclass(frozen=True, slots=True)
class SeedUnit:
    """A unit with its owners and the number that its certificate has had since `held_since`; areas in 0.01 m2."""

    unit_code: str
    location: str
    number: str
    held_since: date
    owners: tuple[SeedOwner, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


DEMO_UNITS = (
    SeedUnit(
        "320114001002GB00012F00180302",
        "南京市雨花台区软件大道18号云锦花园18幢302室",
        "苏(2019)南京市不动产权第0000012号",
        date(2019, 5, 10),
        (_P1, _P2),
        {
            **_HOME,
            "land_area": 1234560,
            "building_area": 8950,
            "inner_area": 7320,
            "shared_area": 1630,
            "floors_total": 18,
            "floor_text": "3层",
            "completed_on": date(2010, 6, 30),
        },
    ),
    SeedUnit(
        "320105003001GB00007F00030015",
        "南京市建邺区江东中路7号3幢15室",
        "苏(2025)南京市不动产权第0000034号",
        date(2025, 1, 15),
        (_P1,),
        {**_HOME, "land_area": 2345670, "building_area": 15020, "completed_on": date(2012, 9, 30)},
    ),
    SeedUnit(
        "320104002003GB00021F00050402",
        "南京市秦淮区中山南路21号5幢402室",
        "苏(2017)南京市不动产权第0000056号",
        date(2017, 3, 1),
        (_P7,),
        {**_HOME, "land_area": 987650, "building_area": 6880, "completed_on": date(1998, 12, 31)},
    ),
    SeedUnit(
        "320114001002GB00012F00190101",
        "南京市雨花台区软件大道18号云锦花园19幢101室",
        "苏(2018)南京市不动产权第0000078号",
        date(2018, 7, 2),
        (_E2,),
        {**_HOME, "usage": "commerce", "land_usage_text": "商服用地", "land_area": 1234560, "building_area": 30000},
    ),
    SeedUnit(
        "320105003001GB00007F00990001",
        "南京市建邺区江东中路7号地下车库99-1号车位",
        "苏(2021)南京市不动产权第0000090号",
        date(2021, 11, 8),
        (_P1,),
        {**_HOME, "usage": "parking", "land_area": 2345670, "building_area": 1320},
    ),
)


async def seed_demo(house: House, units: tuple[SeedUnit, ...] = DEMO_UNITS) -> None:
    """Enter the units and make their certificates, through the same service as any other; again changes nothing."""
    for unit in units:
        right_id = await registry.seed_unit(
            house.registry,
            unit_code=unit.unit_code,
            location=unit.location,
            held_since=unit.held_since,
            owners=unit.owners,
            **unit.facts,
        )
        certificate = await seeded_certificate(house.registry, right_id=right_id, registered_on=unit.held_since)
        due = DueCertificates(f"seed-{unit.unit_code}", "", "", (certificate,))
        request = replace(request_of(due, certificate), number=unit.number)
        await issue_one(house, request, positions=certificate.holder_positions)


async def seed_offices(house: House) -> None:
    """The fictional offices with the slots of the coming days; the platform's, where appointments are."""
    if house.role != "registry":
        await appointments.load_offices(house.appointments, offices=shipped())
