"""Paying and taxes: what the payer's phone does, and notifications beyond the honest ones."""

from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field
from sanic import Request, Sanic

from sandbox.control.desk import Form, Nothing, add, person, wrong
from sandbox.deliveries import Forgery, Receipt
from sandbox.state import World
from sandbox.tax import Declaration
from sandbox.wechat.pay_notify import Falsehood


class PaymentForm(Form):
    """The arguments of `wx.requestPayment`, and what the person does."""

    person: str
    appId: str  # noqa: N815 - WeChat's own spelling
    timeStamp: str  # noqa: N815 - the same
    nonceStr: str  # noqa: N815 - the same
    package: str
    signType: str  # noqa: N815 - the same
    paySign: str  # noqa: N815 - the same
    outcome: Literal["pay", "cancel"] = "pay"


class ForgeryForm(Form):
    wrong_key: bool = False
    stale_seconds: int = 0
    replay: bool = False


class PayNotifyForm(ForgeryForm):
    out_trade_no: str
    signtest: bool = False
    amount_fen: int | None = Field(default=None, ge=0)
    mchid: str | None = None
    appid: str | None = None


class TaxCaseForm(Form):
    declaration_no: str | None = None
    case_no: str | None = None


class TaxNotifyForm(TaxCaseForm, ForgeryForm):
    pass


def mount(app: "Sanic[Any, Any]", world: World) -> None:
    add(app, world, "POST /wx/pay", PaymentForm, _request_payment)
    add(app, world, "GET /pay/orders", Nothing, _orders)
    add(app, world, "POST /pay/notify", PayNotifyForm, _notify_payment)
    add(app, world, "POST /tax/pay", TaxCaseForm, _pay_taxes)
    add(app, world, "GET /tax/declarations", Nothing, _declarations)
    add(app, world, "POST /tax/notify", TaxNotifyForm, _notify_taxes)


async def _request_payment(world: World, form: PaymentForm, _request: Request) -> dict[str, Any]:
    sent = form.model_dump(exclude={"person", "outcome"})
    failure = world.pay.request_payment(person(world, form.person), sent, outcome=form.outcome)
    if failure is None:
        return {"result": "ok"}
    return {"result": "cancel" if form.outcome == "cancel" else "fail", "errMsg": failure}


async def _orders(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"items": [asdict(order) for order in world.orders.all()]}


async def _notify_payment(world: World, form: PayNotifyForm, _request: Request) -> dict[str, Any]:
    order = world.orders.get(form.out_trade_no)
    if order is None:
        raise wrong(f"there is no order {form.out_trade_no}", status=404)
    if form.replay:
        return _shown(await world.announcer.replay(order))
    falsehood = Falsehood(amount_fen=form.amount_fen, mchid=form.mchid, appid=form.appid)
    forgery = Forgery(wrong_key=form.wrong_key, stale_seconds=form.stale_seconds, signtest=form.signtest)
    return _shown(await world.announcer.send_extra(order, falsehood, forgery))


async def _pay_taxes(world: World, form: TaxCaseForm, _request: Request) -> dict[str, Any]:
    return asdict(world.bureau.pay(_declaration(world, form)))


async def _declarations(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"items": [asdict(each) for each in world.bureau.all()]}


async def _notify_taxes(world: World, form: TaxNotifyForm, _request: Request) -> dict[str, Any]:
    declaration = _declaration(world, form)
    if form.replay:
        return _shown(await world.bureau.replay(declaration))
    forgery = Forgery(wrong_key=form.wrong_key, stale_seconds=form.stale_seconds)
    return _shown(await world.bureau.send_extra(declaration, forgery))


def _declaration(world: World, form: TaxCaseForm) -> Declaration:
    found = world.bureau.find(declaration_no=form.declaration_no, case_no=form.case_no)
    if found is None:
        raise wrong("there is no such declaration", status=404)
    return found


def _shown(receipt: Receipt | None) -> dict[str, Any]:
    if receipt is None:
        raise wrong("nothing has been sent that could be sent again", status=409)
    return {"status": receipt.status, "body": receipt.body}
