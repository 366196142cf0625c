from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from kit.ids import new_id
from payments.models import Order, Refund
from server.console import refunds
from tests.factories.payments import Till, till
from tests.support.staff_desks import finance_desk

KEY = {"Idempotency-Key": "request-0001"}


@pytest.fixture
def at(db: object) -> Till:
    return till()


@pytest.fixture
async def desk(at: Till) -> AsyncIterator[httpx.AsyncClient]:
    async with finance_desk(at, refunds.blueprint, "payments.refund") as http:
        yield http


def path(order: Order) -> str:
    return f"/staff/v1/payments/orders/{order.id}/refunds"


async def test_finance_gives_back_and_sees_what_became_of_it(at: Till, desk: httpx.AsyncClient) -> None:
    order, attempt = await at.settled()
    asked = {"amount_fen": 3000, "reason": "多收的登记费"}
    first = await desk.post(path(order), json=asked, headers=KEY)
    again = await desk.post(path(order), json=asked, headers=KEY)
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 201, first.json()["id"])
    body = first.json()
    assert (body["state"], body["amount_fen"], body["wallet_text"], body["reason"], body["asked_by"]) == (
        "requested",
        3000,
        "微信支付",
        "多收的登记费",
        "f1",
    )
    at.wallet.instant = True
    await at.work()
    reading = {"Authorization": "Bearer payments.read"}
    (shown,) = (await desk.get(path(order), headers=reading)).json()["items"]
    assert (shown["state"], shown["state_text"], shown["out_trade_no"]) == ("succeeded", "已退款", attempt.out_trade_no)
    assert shown["refunded_at"].endswith("+08:00")
    assert at.wallet.returned(attempt.out_trade_no) == 3000


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount_fen": 8001, "reason": "x"}, 422, "REFUND_TOO_LARGE"),
        ({"amount_fen": 0, "reason": "x"}, 422, "INVALID_CONTENT"),
        ({"amount_fen": -1, "reason": "x"}, 422, "INVALID_CONTENT"),
        ({"amount_fen": 1.5, "reason": "x"}, 422, "INVALID_CONTENT"),
        ({"amount_fen": "1", "reason": "x"}, 422, "INVALID_CONTENT"),
        ({"amount_fen": 10**30, "reason": "x"}, 422, "INVALID_CONTENT"),
        ({"amount_fen": 1}, 422, "INVALID_CONTENT"),
        ({"amount_fen": 1, "reason": " "}, 422, "INVALID_CONTENT"),
        ({"amount_fen": 1, "reason": "长" * 81}, 422, "INVALID_CONTENT"),
        ({"amount_fen": 1, "reason": "x", "wallet": "wechat"}, 422, "INVALID_CONTENT"),
        ({"amount_fen": 1, "reason": "x", "attempt_id": new_id()}, 409, "ORDER_NOT_PAID"),
    ],
)
async def test_what_is_refused_leaves_no_row(
    at: Till, desk: httpx.AsyncClient, body: dict[str, object], status: int, code: str
) -> None:
    order, _ = await at.settled()
    answer = await desk.post(path(order), json=body, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await Refund.all().count() == 0


async def test_a_key_used_for_another_refund_is_refused(at: Till, desk: httpx.AsyncClient) -> None:
    order, _ = await at.settled()
    await desk.post(path(order), json={"amount_fen": 1, "reason": "x"}, headers=KEY)
    other = await desk.post(path(order), json={"amount_fen": 2, "reason": "x"}, headers=KEY)
    keyless = await desk.post(path(order), json={"amount_fen": 2, "reason": "x"})
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert keyless.json()["code"] == "IDEMPOTENCY_KEY_MISSING"
    assert await Refund.all().count() == 1


async def test_an_order_that_is_not_there_or_not_paid(at: Till, desk: httpx.AsyncClient) -> None:
    order = await at.order()
    asked = {"amount_fen": 1, "reason": "x"}
    unpaid = await desk.post(path(order), json=asked, headers=KEY)
    order.id = new_id()
    absent = await desk.post(path(order), json=asked, headers=KEY)
    assert (unpaid.status_code, unpaid.json()["code"]) == (409, "ORDER_NOT_PAID")
    assert (absent.status_code, absent.json()["code"]) == (404, "ORDER_NOT_FOUND")


async def test_a_disputed_payment_goes_back_as_the_wallet_holds_it(at: Till, desk: httpx.AsyncClient) -> None:
    order = await at.order()
    attempt = await at.pay(order)
    at.wallet.says(attempt.out_trade_no, replace(at.wallet.pay(attempt.out_trade_no), amount_fen=1))
    await at.work(seconds=30)
    asked = {"amount_fen": 2, "reason": "金额不符", "attempt_id": attempt.id}
    too_much = await desk.post(path(order), json=asked, headers=KEY)
    assert (too_much.json()["code"], too_much.json()["detail"]) == ("REFUND_TOO_LARGE", "这笔支付最多还能退0.01元")
    done = await desk.post(path(order), json=asked | {"amount_fen": 1}, headers={"Idempotency-Key": "request-0002"})
    assert (done.status_code, done.json()["amount_fen"]) == (201, 1)
    await at.work()
    assert at.wallet.returned(attempt.out_trade_no) == 1


async def test_a_disputed_payment_that_the_wallet_does_not_hold(at: Till, desk: httpx.AsyncClient) -> None:
    order = await at.order()
    attempt = await at.pay(order)
    at.wallet.says(attempt.out_trade_no, replace(at.wallet.pay(attempt.out_trade_no), merchant_id="1900000110"))
    await at.work(seconds=30)
    asked = {"amount_fen": 1, "reason": "商户不符", "attempt_id": attempt.id}
    refused = await desk.post(path(order), json=asked, headers=KEY)
    assert (refused.status_code, refused.json()["code"]) == (409, "PAYMENT_NOT_HELD")


@pytest.mark.parametrize(
    "token", ["payments.read", "case.read", "outbox.replay", "staff.manage", "payments.refund-320114"]
)
async def test_only_finance_of_the_whole_city_gives_back(at: Till, desk: httpx.AsyncClient, token: str) -> None:
    order, _ = await at.settled()
    headers = {**KEY, "Authorization": f"Bearer {token}"}
    answer = await desk.post(path(order), json={"amount_fen": 1, "reason": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_MISSING")
    assert await Refund.all().count() == 0


@pytest.fixture
async def strict(at: Till) -> AsyncIterator[httpx.AsyncClient]:
    """A desk where every refund waits for a second person; the one who sits there is `f1`."""
    at.needs = replace(at.needs, confirmed_from_fen=0)
    at.drain.house.payments = at.needs
    async with finance_desk(at, refunds.blueprint, "payments.refund") as http:
        yield http


def decision(refund_id: str, word: str) -> str:
    return f"/staff/v1/payments/refunds/{refund_id}/{word}"


async def test_a_second_person_confirms_and_never_the_first(at: Till, strict: httpx.AsyncClient) -> None:
    order, _ = await at.settled()
    own = (await strict.post(path(order), json={"amount_fen": 1, "reason": "x"}, headers=KEY)).json()
    assert (own["state"], own["state_text"], own["decided_by"]) == ("awaiting", "等待另一位财务人员复核", None)
    refused = await strict.post(decision(own["id"], "confirmation"), headers={"Idempotency-Key": "request-0002"})
    assert (refused.status_code, refused.json()["code"]) == (403, "REFUND_OWN")
    others = await at.refund(order, 2)
    reading = {"Authorization": "Bearer payments.read"}
    first = (await strict.get("/staff/v1/payments/refunds/awaiting?limit=1", headers=reading)).json()
    rest = (await strict.get(f"/staff/v1/payments/refunds/awaiting?cursor={first['next']}", headers=reading)).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == [own["id"], others.id]
    for _ in range(2):
        done = await strict.post(decision(others.id, "confirmation"), headers={"Idempotency-Key": "request-0003"})
        assert (done.status_code, done.json()["state"], done.json()["decided_by"]) == (200, "requested", "f1")
    again = await strict.post(decision(others.id, "confirmation"), headers={"Idempotency-Key": "request-0004"})
    assert (again.status_code, again.json()["code"]) == (409, "REFUND_NOT_AWAITING")


async def test_a_waiting_refund_is_turned_down_with_a_reason(at: Till, strict: httpx.AsyncClient) -> None:
    order, _ = await at.settled()
    own = (await strict.post(path(order), json={"amount_fen": 1, "reason": "x"}, headers=KEY)).json()
    fresh = {"Idempotency-Key": "request-0002"}
    assert (await strict.post(decision(own["id"], "refusal"), json={"note": " "}, headers=fresh)).status_code == 422
    done = (await strict.post(decision(own["id"], "refusal"), json={"note": "金额写错了"}, headers=fresh)).json()
    assert (done["state"], done["decided_by"], done["decided_at"][-6:]) == ("closed", "f1", "+08:00")


@pytest.mark.parametrize("word", ["confirmation", "refusal"])
async def test_who_may_not_give_back_may_not_decide(at: Till, strict: httpx.AsyncClient, word: str) -> None:
    order, _ = await at.settled()
    refund = await at.refund(order, 1)
    for token in ("payments.read", "payments.refund-320114"):
        headers = {"Authorization": f"Bearer {token}", **KEY}
        answer = await strict.post(
            decision(refund.id, word), json=None if word == "confirmation" else {"note": "xx"}, headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_MISSING")
    assert (await Refund.get(id=refund.id)).state == "awaiting"
