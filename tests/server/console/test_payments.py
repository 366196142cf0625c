from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest

from kit.db import fetch
from kit.ids import new_id
from payments.models import Attempt, Discrepancy, Settlement
from payments.rules import Fault
from server.console import payments
from tests.factories.payments import Till, till
from tests.support.staff_desks import finance_desk

BOOKS = "/staff/v1/payments"
TODAY = "2026-03-16"


@pytest.fixture
def at(db: object) -> Till:
    return till()


@pytest.fixture
async def desk(at: Till) -> AsyncIterator[httpx.AsyncClient]:
    async with finance_desk(at, payments.blueprint, "payments.read") as http:
        yield http


async def paid(at: Till) -> Attempt:
    """An order placed, paid in the wallet and settled by polling."""
    attempt = await at.pay(await at.order())
    at.wallet.pay(attempt.out_trade_no)
    await at.work(seconds=3600)
    return await Attempt.get(id=attempt.id)


@pytest.mark.parametrize("path", [f"{BOOKS}/discrepancies", f"{BOOKS}/settlements?day={TODAY}"])
async def test_only_finance_of_the_whole_city_reads_the_books(desk: httpx.AsyncClient, path: str) -> None:
    assert (await desk.get(path)).json() == {"items": [], "next": None}
    for token in ("case.read", "outbox.read", "audit.read", "staff.manage", "payments.read-320114"):
        refused = await desk.get(path, headers={"Authorization": f"Bearer {token}"})
        assert (refused.status_code, refused.json()["code"]) == (403, "PERMISSION_MISSING")


async def test_what_was_paid_on_a_day_goes_page_by_page(at: Till, desk: httpx.AsyncClient) -> None:
    attempts = [await paid(at) for _ in range(3)]
    first = (await desk.get(f"{BOOKS}/settlements?day={TODAY}&limit=2")).json()
    rest = (await desk.get(f"{BOOKS}/settlements?day={TODAY}&limit=2&cursor={first['next']}")).json()
    items = [*first["items"], *rest["items"]]
    assert rest["next"] is None
    assert [item["out_trade_no"] for item in items] == [attempt.out_trade_no for attempt in attempts]
    assert {(item["amount_fen"], item["wallet_text"], item["purpose"]) for item in items} == {
        (8000, "微信支付", "registration_fee")
    }
    assert all(item["paid_at"].startswith(TODAY) for item in items)


async def test_a_day_is_one_in_china_from_midnight_to_midnight(at: Till, desk: httpx.AsyncClient) -> None:
    attempt = await paid(at)
    for moment, day in (
        ("2026-03-15T16:00:00+00:00", TODAY),
        ("2026-03-16T15:59:59+00:00", TODAY),
        ("2026-03-15T15:59:59+00:00", "2026-03-15"),
        ("2026-03-16T16:00:00+00:00", "2026-03-17"),
    ):
        await Settlement.filter(attempt_id=attempt.id).update(paid_at=datetime.fromisoformat(moment))
        for asked in ("2026-03-15", TODAY, "2026-03-17"):
            found = (await desk.get(f"{BOOKS}/settlements?day={asked}")).json()["items"]
            assert len(found) == (asked == day), (moment, asked)


@pytest.mark.parametrize("query", ["", "day=yesterday", "day=0001-01-01", f"day={TODAY}&limit=0", f"day={TODAY}&x=1"])
async def test_a_day_that_is_none_is_refused(desk: httpx.AsyncClient, query: str) -> None:
    answer = await desk.get(f"{BOOKS}/settlements?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_CONTENT")


async def test_what_does_not_fit_waits_for_staff_until_it_is_resolved(at: Till, desk: httpx.AsyncClient) -> None:
    for place, fault in enumerate(Fault):
        await Discrepancy.create(
            id=new_id(),
            dedupe_key=f"{fault}:{place}",
            fault=fault,
            wallet="wechat",
            out_trade_no=f"n{place}",
            transaction_id="t",
            expected_fen=8000,
            reported_fen=1,
            created_at=at.clock.now(),
        )
    await Discrepancy.filter(fault=Fault.NOT_PAID).update(resolved_at=at.clock.now())
    first = (await desk.get(f"{BOOKS}/discrepancies?limit=4")).json()
    rest = (await desk.get(f"{BOOKS}/discrepancies?cursor={first['next']}")).json()
    items = [*first["items"], *rest["items"]]
    assert [item["fault"] for item in items] == [fault for fault in Fault if fault is not Fault.NOT_PAID]
    assert len({item["fault_text"] for item in items}) == len(items)
    assert (items[0]["expected_fen"], items[0]["reported_fen"], items[0]["order_id"]) == (8000, 1, None)
    (done,) = (await desk.get(f"{BOOKS}/discrepancies?resolved=true")).json()["items"]
    assert (done["fault"], done["resolved_by"], done["note"]) == (Fault.NOT_PAID, None, None)


async def a_discrepancy(at: Till) -> str:
    found = await Discrepancy.create(
        id=new_id(),
        dedupe_key=new_id(),
        fault=Fault.MERCHANT_DIFFERS,
        wallet="alipay",
        out_trade_no="n1",
        transaction_id="t1",
        created_at=at.clock.now(),
    )
    return f"{BOOKS}/discrepancies/{found.id}/resolution"


def keyed(permissions: str = "payments.reconcile") -> dict[str, str]:
    return {"Idempotency-Key": new_id(), "Authorization": f"Bearer {permissions}"}


async def test_finance_settles_a_discrepancy_by_hand_once_with_a_trace(at: Till, desk: httpx.AsyncClient) -> None:
    path, headers, note = await a_discrepancy(at), keyed(), {"note": "对方商户的款项，已退回"}
    done = await desk.post(path, json=note, headers=headers)
    again = await desk.post(path, json=note, headers=headers)
    assert (done.status_code, again.status_code, again.json()) == (200, 200, done.json())
    shown = done.json()
    assert (shown["fault_text"], shown["wallet_text"]) == ("商户号不符", "支付宝")
    assert (shown["resolved_by"], shown["note"]) == ("f1", "对方商户的款项，已退回")
    assert shown["resolved_at"].endswith("+08:00")
    other = await desk.post(path, json=note, headers=keyed())
    assert (other.status_code, other.json()["code"]) == (409, "DISCREPANCY_RESOLVED")
    absent = await desk.post(f"{BOOKS}/discrepancies/{new_id()}/resolution", json=note, headers=keyed())
    assert (absent.status_code, absent.json()["code"]) == (404, "DISCREPANCY_NOT_FOUND")
    assert (await desk.get(f"{BOOKS}/discrepancies")).json()["items"] == []
    assert len(await fetch("SELECT id FROM kit_audit WHERE action = 'payments.discrepancy_resolved'")) == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"note": ""}, {"note": "  "}, {"note": "好"}, {"note": "x" * 501}, {"note": 7}, {"note": "好的", "x": 1}],
)
async def test_a_note_that_is_none_settles_nothing(at: Till, desk: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await desk.post(await a_discrepancy(at), json=body, headers=keyed())
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_CONTENT")
    assert await Discrepancy.filter(resolved_at=None).count() == 1


@pytest.mark.parametrize("token", ["payments.read", "payments.refund", "case.read", "payments.reconcile-320114"])
async def test_only_finance_of_the_whole_city_settles_by_hand(at: Till, desk: httpx.AsyncClient, token: str) -> None:
    answer = await desk.post(await a_discrepancy(at), json={"note": "不行"}, headers=keyed(token))
    assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_MISSING")
    assert await Discrepancy.filter(resolved_at=None).count() == 1


async def test_an_account_of_one_district_reads_what_to_do(desk: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer payments.read-320114"}
    refused = (await desk.get(f"{BOOKS}/discrepancies", headers=headers)).json()
    assert refused["detail"] == (
        "账目不分区县，您的账号只限部分区县。请改用可查看全部区县的账号，或请账号管理员为您开通"
    )
