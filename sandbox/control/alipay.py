"""What happens on phones that have Alipay, and notifications beyond the honest ones."""

from dataclasses import asdict
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field
from sanic import Request, Sanic

from sandbox.alipay.announcing import Falsehood
from sandbox.alipay.certifying import PAGE_METHOD
from sandbox.alipay.gateway import params_of_url
from sandbox.answers import Refused
from sandbox.control.desk import Form, Nothing, add, person, wrong
from sandbox.deliveries import Forgery
from sandbox.state import World


class LoginForm(Form):
    """`ids`: which of them this app is given; new apps get open_id alone."""

    person: str
    ids: Literal["both", "open_id", "user_id"] = "both"


class PhoneForm(Form):
    person: str
    refused: bool = False
    wrong_key: bool = False


class PayForm(Form):
    person: str
    trade_no: str
    outcome: Literal["pay", "cancel"] = "pay"


class CertifyForm(Form):
    """`url` is the signed page address that the mini-program was given."""

    person: str
    certify_id: str
    url: str
    outcome: Literal["pass", "fail", "cancel", "network"] = "pass"


class SubscribeForm(Form):
    """`templates`: at most three ids, one-time ones or long-term ones."""

    person: str
    templates: list[str]
    accept: bool = True


class NotifyForm(Form):
    """`out_trade_no` says about which trade; `claim_out_trade_no` is what the notification then says."""

    out_trade_no: str
    wrong_key: bool = False
    stale_seconds: int = 0
    replay: bool = False
    app_id: str | None = None
    seller_id: str | None = None
    total_amount: str | None = None
    trade_status: str | None = None
    claim_out_trade_no: str | None = Field(default=None, min_length=1)
    reencode: bool = False
    drop_sign_type: bool = False
    sign_with_type: bool = False


def mount(app: "Sanic[Any, Any]", world: World) -> None:
    add(app, world, "POST /alipay/login", LoginForm, _login)
    add(app, world, "POST /alipay/phone", PhoneForm, _phone)
    add(app, world, "POST /alipay/pay", PayForm, _pay)
    add(app, world, "GET /alipay/trades", Nothing, _trades)
    add(app, world, "POST /alipay/notify", NotifyForm, _notify)
    add(app, world, "POST /alipay/certify", CertifyForm, _certify)
    add(app, world, "GET /alipay/templates", Nothing, _templates)
    add(app, world, "POST /alipay/subscribe", SubscribeForm, _subscribe)
    add(app, world, "GET /alipay/messages", Nothing, _messages)


async def _login(world: World, form: LoginForm, _request: Request) -> dict[str, Any]:
    return {"code": world.alipay.login.give_code(person(world, form.person), form.ids)}


async def _phone(world: World, form: PhoneForm, _request: Request) -> dict[str, Any]:
    holder = person(world, form.person)
    return dict(world.alipay.login.phone_number(holder, refused=form.refused, wrong_key=form.wrong_key))


async def _pay(world: World, form: PayForm, _request: Request) -> dict[str, Any]:
    payer = person(world, form.person)
    return {"resultCode": world.alipay.ordering.trade_pay(payer, form.trade_no, outcome=form.outcome)}


async def _trades(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"items": [asdict(each) for each in world.alipay.trades.all()]}


async def _notify(world: World, form: NotifyForm, _request: Request) -> dict[str, Any]:
    trade = world.alipay.trades.get(form.out_trade_no)
    if trade is None:
        raise wrong(f"there is no trade {form.out_trade_no}", status=404)
    if trade.notify_url is None:
        raise wrong("the trade has no notify_url", status=409)
    if form.replay:
        receipt = await world.alipay.announcer.replay(trade)
    else:
        falsehood = Falsehood(
            app_id=form.app_id,
            seller_id=form.seller_id,
            total_amount=form.total_amount,
            out_trade_no=form.claim_out_trade_no,
            trade_status=form.trade_status,
            reencode=form.reencode,
            drop_sign_type=form.drop_sign_type,
            sign_with_type=form.sign_with_type,
        )
        forgery = Forgery(wrong_key=form.wrong_key, stale_seconds=form.stale_seconds)
        receipt = await world.alipay.announcer.send_extra(trade, falsehood, forgery)
    if receipt is None:
        raise wrong("nothing has been sent that could be sent again", status=409)
    return {"status": receipt.status, "body": receipt.body}


async def _certify(world: World, form: CertifyForm, _request: Request) -> dict[str, Any]:
    who = person(world, form.person)
    try:
        call = world.alipay.gateway.opened(params_of_url(urlsplit(form.url).query), "")
    except Refused as refused:
        raise wrong("the page refuses its address", answer=refused.answer.body) from refused
    if call.method != PAGE_METHOD or call.biz.get("certify_id") != form.certify_id:
        raise wrong("the address is not that of this check's page")
    status = world.alipay.certifying.perform(call, person=who, outcome=form.outcome)
    if status is None:
        raise wrong("there is no such check to do: unknown, expired or passed already", status=404)
    return {"resultStatus": status}


async def _templates(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"items": world.alipay.messages.templates()}


async def _subscribe(world: World, form: SubscribeForm, _request: Request) -> dict[str, Any]:
    refused = world.alipay.messages.subscribe(person(world, form.person), form.templates, accept=form.accept)
    if refused is not None:
        raise wrong(refused)
    return {"behavior": "subscribe" if form.accept else "cancel"}


async def _messages(world: World, _form: Nothing, request: Request) -> dict[str, Any]:
    key = request.args.get("person")
    return {"items": world.alipay.messages.sent_to(person(world, key).key if key else None)}
