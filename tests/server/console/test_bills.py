from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any, cast

import httpx
import pytest

from kit.clock import day_begins
from kit.db import fetch
from kit.ids import new_id
from payments import service
from payments.bill_rules import due_from
from payments.providers.fake_bills import FakeBills, line_of
from server.console import bills
from tests.factories.payments import WALLET, Till, till
from tests.support.staff_desks import finance_desk

BOOKS = "/staff/v1/payments"
DAY = date(2026, 3, 16)


@pytest.fixture
def at(db: object) -> Till:
    return till()


@pytest.fixture
async def desk(at: Till) -> AsyncIterator[httpx.AsyncClient]:
    async with finance_desk(at, bills.blueprint, "payments.read+payments.reconcile") as http:
        yield http


async def differing(at: Till) -> None:
    """A day with one payment that fits and one that nobody here knows."""
    await at.settled()
    noon = day_begins(DAY) + timedelta(hours=12)
    cast("FakeBills", at.needs.bills[WALLET]).added.append(line_of("t1", "ghost", 1234, noon))
    at.clock.at = due_from(DAY)
    await service.open_due_bills(at.needs)
    await at.work()


async def the_bill(desk: httpx.AsyncClient) -> dict[str, Any]:
    items = (await desk.get(f"{BOOKS}/bills?day={DAY}")).json()["items"]
    return next(each for each in items if each["wallet"] == WALLET)


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": new_id()}


async def test_a_bill_stands_beside_our_books(at: Till, desk: httpx.AsyncClient) -> None:
    await differing(at)
    bill = await the_bill(desk)
    assert (bill["state"], bill["state_text"], bill["nothing_unexplained"]) == ("differs", "有差异", False)
    assert bill["theirs"] == {"payments": 2, "payments_fen": 9234, "refunds": 0, "refunds_fen": 0}
    assert bill["ours"] == {"payments": 1, "payments_fen": 8000, "refunds": 0, "refunds_fen": 0}
    assert (bill["net_fen"], bill["service_fee_fen"], bill["day"]) == (9234, 0, "2026-03-16")
    (finding,) = (await desk.get(f"{BOOKS}/bills/{bill['id']}/findings")).json()["items"]
    assert (finding["kind"], finding["ours_fen"], finding["theirs_fen"]) == ("missing_with_us", None, 1234)
    assert (finding["open"], finding["line"], finding["out_trade_no"]) == (True, 2, "ghost")


async def test_bills_go_page_by_page(at: Till, desk: httpx.AsyncClient) -> None:
    await differing(at)
    seen: list[str] = []
    cursor = ""
    for _ in range(8):
        page = (await desk.get(f"{BOOKS}/bills?limit=4{cursor}")).json()
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 14


async def test_a_finding_is_resolved_once_with_a_trace(at: Till, desk: httpx.AsyncClient) -> None:
    await differing(at)
    bill = await the_bill(desk)
    (finding,) = (await desk.get(f"{BOOKS}/bills/{bill['id']}/findings")).json()["items"]
    path, headers = f"{BOOKS}/bill-findings/{finding['id']}/resolution", keyed()
    done = await desk.post(path, json={"note": "窗口测试交易"}, headers=headers)
    assert (done.status_code, done.json()["open"], done.json()["resolved_by"]) == (200, False, "f1")
    assert done.json()["note"] == "窗口测试交易"
    again = await desk.post(path, json={"note": "窗口测试交易"}, headers=headers)
    assert again.json() == done.json()
    other = await desk.post(path, json={"note": "又一次"}, headers=keyed())
    assert (other.status_code, other.json()["code"]) == (409, "FINDING_RESOLVED")
    assert (await the_bill(desk))["nothing_unexplained"] is True
    assert len(await fetch("SELECT id FROM kit_audit WHERE action = 'payments.finding_resolved'")) == 1


async def test_only_finance_of_the_whole_city_sees_and_resolves(at: Till, desk: httpx.AsyncClient) -> None:
    await differing(at)
    bill = await the_bill(desk)
    (finding,) = (await desk.get(f"{BOOKS}/bills/{bill['id']}/findings")).json()["items"]
    for token in ("case.read", "payments.reconcile-320114", "payments.read-320114"):
        headers = {"Authorization": f"Bearer {token}"}
        for path in (f"{BOOKS}/bills", f"{BOOKS}/bills/{bill['id']}/findings"):
            assert (await desk.get(path, headers=headers)).status_code == 403
    for token in ("payments.read", "payments.reconcile-320114"):
        headers = {"Authorization": f"Bearer {token}"} | keyed()
        path = f"{BOOKS}/bill-findings/{finding['id']}/resolution"
        assert (await desk.post(path, json={"note": "不行"}, headers=headers)).status_code == 403
    assert (await the_bill(desk))["unexplained"] == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"note": ""}, {"note": "  "}, {"note": "好"}, {"note": "x" * 501}, {"note": 7}, {"note": "好的", "x": 1}],
)
async def test_a_note_that_says_nothing_is_refused(at: Till, desk: httpx.AsyncClient, body: dict[str, Any]) -> None:
    await differing(at)
    bill = await the_bill(desk)
    (finding,) = (await desk.get(f"{BOOKS}/bills/{bill['id']}/findings")).json()["items"]
    answer = await desk.post(f"{BOOKS}/bill-findings/{finding['id']}/resolution", json=body, headers=keyed())
    assert answer.status_code == 422
    assert await fetch("SELECT id FROM payments_bill_finding WHERE resolved_at IS NOT NULL") == []


async def test_what_does_not_exist(at: Till, desk: httpx.AsyncClient) -> None:
    missing = await desk.get(f"{BOOKS}/bills/{new_id()}/findings")
    assert (missing.status_code, missing.json()["code"]) == (404, "BILL_NOT_FOUND")
    path = f"{BOOKS}/bill-findings/{new_id()}/resolution"
    unknown = await desk.post(path, json={"note": "没有"}, headers=keyed())
    assert (unknown.status_code, unknown.json()["code"]) == (404, "FINDING_NOT_FOUND")
    for query in ("day=yesterday", "day=0001-01-01", "limit=0", "x=1"):
        assert (await desk.get(f"{BOOKS}/bills?{query}")).status_code == 422


async def test_a_bill_of_long_ago_is_asked_for_once_more_by_hand(at: Till, desk: httpx.AsyncClient) -> None:
    await differing(at)
    bill = await the_bill(desk)
    again = f"{BOOKS}/bills/{bill['id']}/fetch"
    early = await desk.post(again, headers=keyed())
    assert (early.status_code, early.json()["code"]) == (409, "BILL_ASKED_FOR_ANYWAY")
    for _ in range(30):
        await at.work(seconds=6 * 3600)
    wallet = cast("FakeBills", at.needs.bills[WALLET])
    wallet.added.clear()
    fetched = wallet.fetched
    await at.work(seconds=24 * 3600)
    assert (await the_bill(desk))["state"] == "differs"
    assert wallet.fetched == fetched
    key = keyed()
    for _ in range(2):
        asked = await desk.post(again, headers=key)
        assert (asked.status_code, asked.json()["id"]) == (200, bill["id"])
    await at.work()
    assert ((await the_bill(desk))["state"], wallet.fetched) == ("matched", fetched + 1)
    audited = await fetch("SELECT actor_id FROM kit_audit WHERE action = 'payments.bill_asked_again'")
    assert [row["actor_id"] for row in audited] == ["f1"]
    strange = await desk.post(f"{BOOKS}/bills/{new_id()}/fetch", headers=keyed())
    assert strange.json()["code"] == "BILL_NOT_FOUND"
    reader = keyed() | {"Authorization": "Bearer payments.read"}
    assert (await desk.post(again, headers=reader)).json()["code"] == "PERMISSION_MISSING"
