"""What happens on phones that have Alipay, and notifications beyond the honest ones."""

from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field
from sanic import Request, Sanic

from sandbox.alipay.announcing import Falsehood
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
