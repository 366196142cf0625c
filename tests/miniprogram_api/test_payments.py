from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from kit.errors import OutsideError
from kit.ids import new_id
from miniprogram_api import payments
from payments.models import Attempt, Order
from server.journeys import fees
from server.journeys.house import House
from tests.factories import identity
from tests.factories.payments import EIGHTY_YUAN, OTHER_WALLET, Till, till
from tests.support.serving import client, edge, served

KEY = {"Idempotency-Key": "request-0001"}


@pytest.fixture
def at(db: object) -> Till:
    return till()


@pytest.fixture
async def phone(at: Till) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """The phone of a resident at the highest level, and the resident's id."""
    residents = identity.world()
    buyer = await identity.resident(residents)

    async def who(request: object) -> object:
        return SimpleNamespace(who="resident", id=buyer.id, level=3, permissions=frozenset())

    house = cast("House", SimpleNamespace(payments=at.needs, identity=residents.needs))
    door = edge(authenticators={"resident": who}, clock=at.clock)  # type: ignore[dict-item]
    async with served([payments.blueprint(house, door)]) as base, client(base) as http:
        yield http, buyer.id


async def charged(at: Till, payer_id: str) -> Order:
    order = await at.order(lines=EIGHTY_YUAN, payer_id=payer_id)
    assert order.purpose == fees.PURPOSE
    return order


async def test_a_payer_pays_and_sees_it_paid(at: Till, phone: tuple[httpx.AsyncClient, str]) -> None:
    http, buyer = phone
    order = await charged(at, buyer)
    path = f"/api/v1/applications/{order.subject_id}/payments"
    first = await http.post(path, json={"wallet": "wechat"}, headers=KEY)
    again = await http.post(path, json={"wallet": "wechat"}, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    body = first.json()
    assert again.json() == body
    assert (body["order_id"], body["amount_fen"], body["state"], body["wallet"]) == (order.id, 8000, "ready", "wechat")
    assert body["client_params"]["package"].startswith("prepay_id=")
    assert body["expires_at"] == "2026-03-16T13:00:00+08:00"

    (number,) = at.wallet.trades
    at.wallet.pay(number)
    await at.work(seconds=30)
    paid = await http.get(f"/api/v1/payments/{order.id}")
    assert paid.json() == {
        "id": order.id,
        "amount_fen": 8000,
        "state": "settled",
        "state_text": "已缴费",
        "lines": [{"code": "registration", "name": "不动产登记费", "amount_fen": 8000}],
        "paid_at": "2026-03-16T12:00:00+08:00",
        "wallet": "wechat",
        "wallet_text": "微信支付",
        "wallets": [],
        "refunded_fen": 0,
    }
    replay = await http.post(path, json={"wallet": "wechat"}, headers=KEY)
    assert (replay.json()["state"], replay.json()["client_params"]) == ("paid", None)
    late = await http.post(path, json={"wallet": "wechat"}, headers={"Idempotency-Key": "request-0002"})
    assert (late.status_code, late.json()["code"]) == (409, "ORDER_SETTLED")


async def test_anothers_order_is_not_there(at: Till, phone: tuple[httpx.AsyncClient, str]) -> None:
    http, _ = phone
    order = await charged(at, new_id())
    asked = await http.post(f"/api/v1/applications/{order.subject_id}/payments", json={"wallet": "wechat"}, headers=KEY)
    assert (asked.status_code, asked.json()["code"]) == (404, "ORDER_NOT_FOUND")
    seen = await http.get(f"/api/v1/payments/{order.id}")
    assert (seen.status_code, seen.json()["code"]) == (404, "ORDER_NOT_FOUND")


async def test_a_wallet_that_we_do_not_know_is_no_choice(at: Till, phone: tuple[httpx.AsyncClient, str]) -> None:
    http, buyer = phone
    order = await charged(at, buyer)
    path = f"/api/v1/applications/{order.subject_id}/payments"
    assert (await http.post(path, json={"wallet": "cash"}, headers=KEY)).status_code == 422
    assert (await http.post(path, json={"wallet": "wechat"})).json()["code"] == "IDEMPOTENCY_KEY_MISSING"


async def test_paying_with_a_wallet_one_never_used(at: Till, phone: tuple[httpx.AsyncClient, str]) -> None:
    http, buyer = phone
    order = await charged(at, buyer)
    path = f"/api/v1/applications/{order.subject_id}/payments"
    answer = await http.post(path, json={"wallet": "alipay"}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "PAYER_NOT_LINKED")
    assert await Attempt.all().count() == 0
    seen = (await http.get(f"/api/v1/payments/{order.id}")).json()
    assert (seen["wallet"], seen["wallet_text"], seen["wallets"]) == (None, None, ["alipay", "wechat"])


async def test_who_has_paid_is_not_sent_to_another_wallet(at: Till, phone: tuple[httpx.AsyncClient, str]) -> None:
    http, buyer = phone
    order = await charged(at, buyer)
    path = f"/api/v1/applications/{order.subject_id}/payments"
    paid = (await http.post(path, json={"wallet": "wechat"}, headers=KEY)).json()
    at.wallet.pay((await Attempt.get(id=paid["id"])).out_trade_no)
    await at.work(seconds=30)
    answer = await http.post(path, json={"wallet": "alipay"}, headers={"Idempotency-Key": "another-0001"})
    assert (answer.status_code, answer.json()["code"]) == (409, "ORDER_SETTLED")
    assert await Attempt.all().count() == 1


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        ("down", 503, "EARLIER_WALLET_DOWN"),
        ("paid", 409, "ORDER_SETTLED"),
        ("open", 201, None),
    ],
)
async def test_changing_the_wallet(
    at: Till,
    phone: tuple[httpx.AsyncClient, str],
    monkeypatch: pytest.MonkeyPatch,
    told: str,
    status: int,
    code: str | None,
) -> None:
    http, buyer = phone
    order = await charged(at, buyer)
    begun = await at.pay(order, wallet=OTHER_WALLET)
    if told == "paid":
        at.other.pay(begun.out_trade_no)
    if told == "down":

        async def query(_: str) -> None:
            raise OutsideError("alipay", "TIMEOUT", "no answer in time", permanent=False)

        monkeypatch.setattr(at.other, "query", query)
    path = f"/api/v1/applications/{order.subject_id}/payments"
    answer = await http.post(path, json={"wallet": "wechat"}, headers=KEY)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert len(at.wallet.trades) == (told == "open")
    assert (await Attempt.get(id=begun.id)).state == {"down": "ready", "paid": "paid", "open": "closed"}[told]
