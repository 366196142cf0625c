"""The one server of all partners: routes, start and orderly stop."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sanic import HTTPResponse, Request, Sanic

from sandbox.control import alipay, bills, carrier, departments, money, phones, refunds, sms, weather
from sandbox.departments.records import Source
from sandbox.exchange import Handler, Signer
from sandbox.state import World, open_world

_LARGEST_BODY = 1_000_000
_GRACE_SECONDS = 0.5
_LOOK_SECONDS = 0.01
# Pay answers at the root, where SDKs without a path prefix look for it, and under its own name.
_PAY_ROOTS = ("", "/wechatpay")


@dataclass(frozen=True, slots=True)
class Running:
    """A served world; `url` without a slash at its end."""

    url: str
    world: World


@contextlib.asynccontextmanager
async def served(directory: Path, *, port: int = 0, time_scale: float = 1.0) -> AsyncIterator[Running]:
    """Serve on 127.0.0.1 (port 0: any free one) until the block is left; unfinished notifications are resumed."""
    world = open_world(directory, time_scale=time_scale)
    listener = socket.create_server(("127.0.0.1", port))
    await world.courier.open()
    server = await _start(make_app(world), listener)
    try:
        world.announcer.resume()
        world.refunds.resume()
        world.bureau.resume()
        world.kuaidi100.resume()
        world.alipay.announcer.resume()
        yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", world)
    finally:
        await world.refunds.close()
        await world.courier.close()
        await _stop(server)
        world.books.close()


def make_app(world: World) -> "Sanic[Any, Any]":
    app = Sanic(f"sandbox-{secrets.token_hex(4)}", configure_logging=False)
    app.config.ACCESS_LOG = False
    app.config.FALLBACK_ERROR_FORMAT = "json"
    app.config.REQUEST_MAX_SIZE = _LARGEST_BODY
    # Sanic rewrites its own classes at start, which goes wrong for the second app of one process.
    app.config.TOUCHUP = False
    app.add_route(_healthz, "/healthz")
    _mount_wechat(app, world)
    _mount_pay(app, world)
    _mount(app, world, "tax.status", "GET /tax/v1/status", world.bureau.status, world.bureau.sign_answer)
    _mount(app, world, "tax.declare", "POST /tax/v1/declarations", world.bureau.declare, world.bureau.sign_answer)
    _mount_alipay(app, world)
    served = world.exchange.wrap_gateway(world.sms.target, world.sms.serve, made_up=world.sms.made_up)
    app.add_route(served, "/sms", methods=["POST"], name="sms")
    _mount_departments(app, world)
    _mount_carriers(app, world)
    for part in (weather, phones, money, alipay, departments, carrier, refunds, bills, sms):
        part.mount(app, world)
    return app


def _mount_wechat(app: "Sanic[Any, Any]", world: World) -> None:
    face = "/wechat/cityservice/face/identify"
    _mount(app, world, "wechat.jscode2session", "GET /wechat/sns/jscode2session", world.login.jscode2session)
    _mount(app, world, "wechat.token", "POST /wechat/cgi-bin/stable_token", world.tokens.stable_token)
    _mount(app, world, "wechat.phone", "POST /wechat/wxa/business/getuserphonenumber", world.login.phone_number)
    _mount(app, world, "wechat.message", "POST /wechat/cgi-bin/message/subscribe/send", world.messages.send)
    _mount(app, world, "wechat.face_open", f"POST {face}/getverifyid", world.faces.open)
    _mount(app, world, "wechat.face_query", f"POST {face}/queryverifyinfo", world.faces.query)


def _mount_pay(app: "Sanic[Any, Any]", world: World) -> None:
    pay = world.pay
    for root in _PAY_ROOTS:
        base = f"{root}/v3/pay/transactions"
        by_number, by_id = f"{base}/out-trade-no/<number:str>", f"{base}/id/<number:str>"
        _mount(app, world, "pay.order", f"POST {base}/jsapi", pay.order, pay.sign_answer)
        _mount(app, world, "pay.query", f"GET {by_number}", pay.query_by_number, pay.sign_answer)
        _mount(app, world, "pay.query", f"GET {by_id}", pay.query_by_transaction, pay.sign_answer)
        _mount(app, world, "pay.close", f"POST {by_number}/close", pay.close, pay.sign_answer)
        refunds = f"{root}/v3/refund/domestic/refunds"
        _mount(app, world, "pay.refund", f"POST {refunds}", world.refunds.refund, pay.sign_answer)
        _mount(app, world, "pay.refund_query", f"GET {refunds}/<number:str>", world.refunds.query, pay.sign_answer)
        _mount(app, world, "pay.bill", f"GET {root}/v3/bill/tradebill", world.bills.ask, pay.sign_answer)
        _mount(app, world, "pay.bill_download", f"GET {root}/v3/billdownload/file", world.bills.download)


def _mount_carriers(app: "Sanic[Any, Any]", world: World) -> None:
    _mount(app, world, "carrier.poll", "POST /kuaidi100/poll", world.kuaidi100.subscribe)
    _mount(app, world, "carrier.query", "POST /kuaidi100/poll/query.do", world.kuaidi100.query)
    _mount(app, world, "carrier.sf", "POST /sf/std/service", world.sf.service)


def _mount_departments(app: "Sanic[Any, Any]", world: World) -> None:
    hub, base = world.hub, "/departments/v1"
    sign = hub.door.sign_answer
    _mount(app, world, "departments.status", f"GET {base}/status", hub.status, sign)
    marriage, household = hub.handler(Source.MARRIAGE), hub.handler(Source.HOUSEHOLD)
    _mount(app, world, "departments.marriage", f"POST {base}/lookup/marriage", marriage, sign)
    _mount(app, world, "departments.household", f"POST {base}/identity/household", household, sign)


def _mount_alipay(app: "Sanic[Any, Any]", world: World) -> None:
    gateway = world.alipay.gateway
    served = world.exchange.wrap_gateway(
        gateway.target, gateway.serve, made_up=gateway.made_up, envelope=gateway.envelope
    )
    app.add_route(served, "/alipay/gateway.do", methods=["GET", "POST"], name="alipay-gateway")
    _mount(app, world, "alipay.bill_download", "GET /alipay/bills/<token:str>", world.alipay.billing.download)


def _mount(
    app: "Sanic[Any, Any]", world: World, target: str, route: str, handler: Handler, signer: Signer | None = None
) -> None:
    method, path = route.split(" ")
    name = f"{target}-{len(app.router.routes_all)}".replace(".", "-")
    app.add_route(world.exchange.wrap(target, handler, signer), path, methods=[method], name=name)


async def _healthz(_request: Request) -> HTTPResponse:
    return HTTPResponse(b'{"status":"ok"}', content_type="application/json")


async def _start(app: "Sanic[Any, Any]", listener: socket.socket) -> Any:
    # Any, because Sanic leaves the methods of this object untyped.
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True, access_log=False)
    if server is None:
        raise RuntimeError("the server did not start")
    await server.startup()
    await server.before_start()
    await server.after_start()
    await server.start_serving()
    return server


async def _stop(server: Any) -> None:
    """Stop listening, let running requests end for a moment, then cut what is left."""
    await server.before_stop()
    server.close()
    await _turns()
    clock = asyncio.get_running_loop().time
    ending = clock() + _GRACE_SECONDS
    while server.connections and clock() < ending:
        for connection in list(server.connections):
            connection.close_if_idle()
        await asyncio.sleep(_LOOK_SECONDS)
    for connection in list(server.connections):
        connection.abort()
    await _turns()
    await server.after_stop()


async def _turns() -> None:
    """Let the loop go round: who has been let in becomes a connection, what was closed gives its socket back."""
    for _ in range(3):
        await asyncio.sleep(0)
