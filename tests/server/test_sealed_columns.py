"""Guard: the one convention that rotation rests on holds for every sealed column, with data in each of them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kit.crypto.cipher import Cipher
from kit.crypto.keys import KeyRing
from kit.crypto.rotation import CHAINED, SealedColumn, counts, reseal, sealed_columns
from kit.db import fetch
from kit.idempotency import RequestKey, once
from kit.ids import new_id
from payments import service as money
from payments.models import Discrepancy
from payments.providers.fake_bills import line_of
from payments.rules import Fault
from server.adapters.fake_face import FakeFace
from server.applications import service as applications_service
from server.delivery import service as deliveries_service
from server.delivery.service.recording import take
from server.delivery.states import Settlement
from server.identity import service as identity_service
from server.journeys import seeding
from server.registry import service as registry_service
from server.relay import service as relay_service
from server.sharing import service as sharing_service
from tests.conftest import Db
from tests.factories import (
    applications,
    appointments,
    bill_office,
    deliveries,
    identity,
    notifications,
    payments,
    registry,
    sharing,
    staff,
)
from tests.factories.registry import HERE, OFFICER
from tests.factories.road import road
from tests.support.moments import NOON

EXTRANET = ("certificates_", "kit_inbox", "registry_", "relay_")
"""Tables that the factories around the registry fill; they have one master key, the others another."""


async def _names_in_database(db: Db) -> set[str]:
    """The sealed columns as the database itself knows them: no model can be forgotten."""
    if db.dialect == "mysql":
        rows = await fetch(
            "SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = DATABASE()"
        )
    else:
        rows = await fetch(
            "SELECT m.name AS t, p.name AS c FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'"
        )
    return {f"{row['t']}.{row['c']}" for row in rows if row["c"].endswith("_sealed")}


async def test_every_sealed_column_of_the_database_is_known(db: Db):
    found = sealed_columns()
    assert {column.name for column in found} == await _names_in_database(db)
    assert {column.table.split("_")[0] for column in found} >= {"kit", "applications", "payments", "notifications"}
    for column in found:
        assert await fetch(f"SELECT id FROM {column.table} LIMIT 1") == []  # noqa: S608 - names of our models


async def _residents() -> None:
    people = identity.world(face=FakeFace(page="https://alipay.example/page"))

    async def with_every_id(code: str) -> Any:
        return replace(await exchange(code), union_id="u1", user_id="2088000000000009")

    exchange, people.wallet.exchange = people.wallet.exchange, with_every_id  # type: ignore[method-assign]
    one = await identity.resident(people, phone=True, real_name=True)
    await identity_service.open_face_check(
        people.needs, resident_id=one.id, wallet="wechat", action="confirm_application", digest="a" * 64
    )
    await staff.member(staff.needs())


async def _applications(folder: Path) -> None:
    world = applications.world(folder)
    case = await applications.submitted(world)
    await applications_service.record_correction(
        world.needs,
        application_id=case.id,
        items=["补交"],
        deadline=NOON.date(),
        asked_at=NOON,
        message_id=applications.MESSAGE + "1",
    )
    await applications_service.record_notice(
        world.needs, application_id=case.id, text="请补交", pushed_at=NOON, message_id=applications.MESSAGE + "2"
    )


async def _counters() -> None:
    at = await appointments.hall()
    await at.book(await at.slot())


async def _money_and_news() -> None:
    office = bill_office.bill_office()
    till = office.at
    order, _ = await till.settled()
    await till.refund(order, 1)
    at = bill_office.MORNING_AFTER - timedelta(hours=12)
    office.bills.added.append(line_of("nobody's", "ghost", 8000, at))
    await office.open_up()
    finding = next(each for each in await office.findings() if each.open)
    await money.resolve_finding(till.needs, finding_id=finding.id, staff_id=new_id(), note="线下缴费")
    await _discrepancy(till)
    await notifications.desk().tell()


async def _discrepancy(till: payments.Till) -> None:
    row = await Discrepancy.create(
        id=new_id(),
        dedupe_key="amount_differs:fake:ghost",
        fault=Fault.AMOUNT_DIFFERS.value,
        wallet=payments.WALLET,
        out_trade_no="ghost",
        transaction_id="ghost",
        created_at=NOON,
    )

    async def resolve(key: RequestKey) -> str:
        return await money.resolve_discrepancy(
            till.needs, discrepancy_id=row.id, staff_id=new_id(), note="已在钱包退款", key=key
        )

    await once(till.key(), resolve, status=200)


async def _post() -> None:
    desk = deliveries.desk()
    order_id = await desk.asked()
    await desk.send(order_id, waybill=deliveries.WAYBILL)
    report = desk.carrier.scan("ems", deliveries.WAYBILL, (NOON, "5", "正在派送，投递员：赵师傅"))
    await take(desk.needs, report)
    await deliveries_service.settle(
        desk.needs,
        staff_id=deliveries.CLERK,
        scope=deliveries.HERE,
        delivery_id=order_id,
        outcome=Settlement.LOST,
        note="快递公司确认丢失",
        key=desk.key(),
    )


async def _shared() -> None:
    here = sharing.hall()
    asked = await sharing_service.ask(here.needs, subject=sharing.subject(), source=sharing.MARRIAGE)
    await sharing_service.record_answer(here.needs, asked_by=sharing.RESIDENT, asked=asked)


async def _register(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case over the road, up to its certificate and the copy of it."""

    async def told(*_: Any, **__: Any) -> None:
        """The application itself is not on this road."""

    monkeypatch.setattr("server.journeys.recording.applications.record_certificate", told)
    both = await road(folder)
    needs = both.house.registry
    await seeding.seed_demo(both.house, seeding.DEMO_UNITS[:1])
    await both.drain.until_idle()
    case_id, application_id = await registry.accepted(needs)
    await registry_service.review(needs, staff_id=OFFICER, scope=HERE, case_id=case_id, result="passed", opinion="同意")
    for kind in ("evidence_tax", "evidence_fee"):
        message = registry.evidence(kind, application_id)
        await registry_service.record_evidence(needs, message=message)
    await registry_service.enter(needs, staff_id=OFFICER, scope=HERE, case_id=case_id)
    await both.drain.until_idle()
    other = new_id()
    package = registry.up("case_package", other, registry.package(other, "b" * 64))
    await relay_service.forward(both.house.relay, message=package)


@pytest.fixture
async def full(db: Db, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Db:
    """Something in every sealed column."""
    await _register(tmp_path / "registry", monkeypatch)
    await _residents()
    await _applications(tmp_path / "platform")
    await _counters()
    await _money_and_news()
    await _shared()
    await _post()
    return db


def _ring(column: SealedColumn, current: str) -> KeyRing:
    key = bytes(range(32)) if column.table.startswith(EXTRANET) else b"1" * 32
    return KeyRing({"k1": key, "k2": b"2" * 32, "blind": b"b" * 32}, current)


async def _opened(column: SealedColumn, cipher: Cipher) -> dict[str, str | bytes]:
    rows = await fetch(
        f"SELECT id, {column.column} AS token FROM {column.table} "  # noqa: S608 - names of our models
        f"WHERE {column.column} IS NOT NULL"
    )
    return {
        row["id"]: (cipher.open_bytes if column.binary else cipher.open)(row["token"], (column.name, row["id"]))
        for row in rows
    }


async def test_every_value_is_sealed_for_its_table_column_and_row_and_can_be_sealed_anew(full: Db):
    columns = [column for column in sealed_columns() if column.name not in CHAINED]
    before = {column.name: await _opened(column, Cipher(_ring(column, "k1"))) for column in columns}
    assert [name for name, values in before.items() if not values] == []
    for column in columns:
        async for step in reseal(Cipher(_ring(column, "k2")), [column]):
            assert step.damaged == ()
    only_new = Cipher(KeyRing({"k2": b"2" * 32}, "k2"))
    assert {column.name: await _opened(column, only_new) for column in columns} == before
    assert set(await counts()) == {"k2"}
