from collections.abc import Awaitable, Callable

from sanic import Blueprint
from sanic.response import HTTPResponse

from kit.inbox import Inbox
from kit.web.access import callback
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from payments.errors import NoticeRefused
from payments.events import NoticeArrived
from payments.ports import Needs, Notices
from payments.rules import ALIPAY, WECHAT
from payments.service.settling import sealed_notice


def blueprint(needs: Needs, edge: Edge) -> Blueprint:
    """POST /callbacks/wechat_pay and /callbacks/alipay; no route at all while the wallet's secret is not set."""
    routes = Routes("payment_callbacks", "/callbacks", edge)
    if WECHAT in needs.notices:
        _wechat_pay(routes, _taker(needs, needs.notices[WECHAT], wallet=WECHAT, system="wechat_pay"))
    if ALIPAY in needs.notices:
        _alipay(routes, _taker(needs, needs.notices[ALIPAY], wallet=ALIPAY, system="alipay"))
    return routes.blueprint


def _taker(needs: Needs, notices: Notices, *, wallet: str, system: str) -> Callable[[Call[None]], Awaitable[None]]:
    """Proven on the raw bytes, then kept once; nothing in it is believed before the worker judges it."""
    inbox = Inbox(needs.outbox, needs.cipher, needs.clock)

    async def take(call: Call[None]) -> None:
        notice = notices.open(call.request.headers, call.request.body)
        await inbox.receive(
            system=system,
            external_id=notice.id,
            body=sealed_notice(wallet, notice.body),
            announce=lambda inbox_id: NoticeArrived(inbox_id, notice.out_trade_no),
        )

    return take


def _wechat_pay(routes: Routes, take: Callable[[Call[None]], Awaitable[None]]) -> None:
    @routes.post(
        "/wechat_pay",
        access=callback("wechat_pay"),
        summary="A notice of WeChat Pay on a payment or a refund: verified, kept once, acknowledged, worked on later",
        keyed=False,
        errors=(NoticeRefused,),
    )
    async def wechat_pay(call: Call[None]) -> None:
        await take(call)


def _alipay(routes: Routes, take: Callable[[Call[None]], Awaitable[None]]) -> None:
    @routes.post(
        "/alipay",
        access=callback("alipay"),
        summary="A notice of Alipay on a trade: verified, kept once, answered with the word it waits for",
        keyed=False,
        errors=(NoticeRefused,),
    )
    async def alipay(call: Call[None]) -> HTTPResponse:
        await take(call)
        return HTTPResponse("success", content_type="text/plain")
