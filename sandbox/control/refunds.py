"""WeChat Pay's refunds: how they end, and notifications beyond the honest ones."""

from dataclasses import asdict
from typing import Any, Literal

from sanic import Request, Sanic

from sandbox.control.desk import Form, Nothing, add, wrong
from sandbox.deliveries import Forgery
from sandbox.state import World
from sandbox.wechat.refund_books import Refund
from sandbox.wechat.refunds import RefundFalsehood

_ENDS = {"success": "SUCCESS", "abnormal": "ABNORMAL", "closed": "CLOSED"}


class HoldForm(Form):
    """Whether refunds wait for /pay/refund instead of being carried out a few seconds later."""

    hold: bool


class EndForm(Form):
    out_refund_no: str
    outcome: Literal["success", "abnormal", "closed"] = "success"


class NotifyForm(Form):
    """`out_refund_no` says about which refund; `claim_...` is what the notification then says."""

    out_refund_no: str
    wrong_key: bool = False
    stale_seconds: int = 0
    signtest: bool = False
    replay: bool = False
    mchid: str | None = None
    amount_fen: int | None = None
    claim_out_trade_no: str | None = None
    claim_out_refund_no: str | None = None
    claim_outcome: Literal["success", "abnormal", "closed"] | None = None


def mount(app: "Sanic[Any, Any]", world: World) -> None:
    add(app, world, "GET /pay/refunds", Nothing, _refunds)
    add(app, world, "POST /pay/refunds", HoldForm, _hold)
    add(app, world, "POST /pay/refund", EndForm, _end)
    add(app, world, "POST /pay/refund_notify", NotifyForm, _notify)


async def _refunds(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"items": [asdict(each) for each in world.refunds.books.all()]}


async def _hold(world: World, form: HoldForm, _request: Request) -> dict[str, Any]:
    world.refunds.hold = form.hold
    return {"hold": form.hold}


async def _end(world: World, form: EndForm, _request: Request) -> dict[str, Any]:
    refund = _named(world, form.out_refund_no)
    if refund.status not in {"PROCESSING", "ABNORMAL"}:
        raise wrong(f"the refund has ended: {refund.status}", status=409)
    return asdict(world.refunds.end(refund, _ENDS[form.outcome]))


async def _notify(world: World, form: NotifyForm, _request: Request) -> dict[str, Any]:
    refund = _named(world, form.out_refund_no)
    if form.replay:
        receipt = await world.refunds.replay(refund)
        if receipt is None:
            raise wrong("nothing has been sent that could be sent again", status=409)
        return {"status": receipt.status, "body": receipt.body}
    falsehood = RefundFalsehood(
        mchid=form.mchid,
        amount_fen=form.amount_fen,
        out_trade_no=form.claim_out_trade_no,
        out_refund_no=form.claim_out_refund_no,
        status=_ENDS[form.claim_outcome] if form.claim_outcome else None,
    )
    forgery = Forgery(wrong_key=form.wrong_key, stale_seconds=form.stale_seconds, signtest=form.signtest)
    receipt = await world.refunds.send_extra(refund, falsehood, forgery)
    return {"status": receipt.status, "body": receipt.body}


def _named(world: World, out_refund_no: str) -> Refund:
    found = world.refunds.books.get(out_refund_no)
    if found is None:
        raise wrong(f"there is no refund {out_refund_no}", status=404)
    return found
