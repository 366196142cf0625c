from sanic import Blueprint

from kit.inbox import receive
from kit.web.access import callback
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from payments.errors import NoticeRefused
from payments.events import NoticeArrived
from payments.ports import Needs, Notices
from payments.service.settling import sealed_notice

WECHAT = "wechat"
_SYSTEM = "wechat_pay"


def blueprint(needs: Needs, edge: Edge) -> Blueprint:
    """POST /callbacks/wechat_pay; no route at all while the wallet's secret is not set."""
    routes = Routes("payment_callbacks", "/callbacks", edge)
    notices = needs.notices.get(WECHAT)
    if notices is not None:
        _wechat_pay(routes, needs, notices)
    return routes.blueprint


def _wechat_pay(routes: Routes, needs: Needs, notices: Notices) -> None:
    @routes.post(
        "/wechat_pay",
        access=callback(_SYSTEM),
        summary="A payment notice of WeChat Pay: verified, kept once, acknowledged, worked on later",
        keyed=False,
        errors=(NoticeRefused,),
    )
    async def wechat_pay(call: Call[None]) -> None:
        notice = notices.open(call.request.headers, call.request.body)
        await receive(
            needs.outbox,
            needs.cipher,
            needs.clock,
            system=_SYSTEM,
            external_id=notice.id,
            body=sealed_notice(WECHAT, notice.body),
            announce=lambda inbox_id: NoticeArrived(inbox_id, notice.out_trade_no),
        )
