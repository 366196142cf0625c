from dataclasses import replace

import pytest
from sanic import Blueprint

from kit.db import fetch
from kit.web.access import public
from kit.web.edge import Call
from kit.web.routes import Routes
from payments import callbacks
from payments.models import Order
from payments.ports import Needs
from payments.rules import OrderState
from tests.factories.payments import Till, till
from tests.support.serving import client, edge, served

pytestmark = pytest.mark.usefixtures("db")
PATH = "/callbacks/wechat_pay"


def blueprints(at: Till, needs: Needs) -> list[Blueprint]:
    door = edge(clock=at.clock)
    other = Routes("another", "/another", door)  # Sanic does not start without a single route

    @other.get("", access=public("a test"), summary="Nothing")
    async def nothing(call: Call[None]) -> None:
        return None

    return [callbacks.blueprint(needs, door), other.blueprint]


async def test_a_notice_is_acknowledged_kept_once_and_worked_on_later() -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order)
    headers, raw = at.wallet.notice(at.wallet.pay(attempt.out_trade_no), notice_id="notice-1")
    async with served(blueprints(at, at.needs)) as base, client(base) as http:
        answers = [await http.post(PATH, headers=headers, content=raw) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert [answer.content for answer in answers] == [b"", b""]
    assert (await Order.get(id=order.id)).state == OrderState.OPEN
    assert len(await fetch("SELECT id FROM kit_inbox")) == 1
    await at.work()
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED
    assert len(at.told) == 1


async def test_what_is_not_proven_is_refused_and_leaves_no_trace() -> None:
    at = till()
    attempt = await at.pay(await at.order())
    headers, raw = at.wallet.notice(at.wallet.pay(attempt.out_trade_no), notice_id="notice-1")
    async with served(blueprints(at, at.needs)) as base, client(base) as http:
        forged = await http.post(PATH, headers=headers, content=raw + b" ")
        unsigned = await http.post(PATH, content=raw)

    assert [forged.status_code, unsigned.status_code] == [401, 401]
    assert forged.json()["code"] == "NOTICE_REFUSED"
    assert await fetch("SELECT id FROM kit_inbox") == []


async def test_without_the_wallets_secret_there_is_no_route() -> None:
    at = till()
    headers, raw = at.wallet.notice(at.wallet.pay((await at.pay(await at.order())).out_trade_no), notice_id="n")
    async with served(blueprints(at, replace(at.needs, notices={}))) as base, client(base) as http:
        assert (await http.post(PATH, headers=headers, content=raw)).status_code == 404
