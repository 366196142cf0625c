"""Bills that are wrong on purpose: a row nobody knows, a row left out, a row with another amount."""

import secrets
from dataclasses import asdict
from datetime import date
from typing import Any, Literal

from pydantic import Field
from sanic import Request, Sanic

from sandbox.alipay.billing import Line
from sandbox.bill_changes import BillChanges
from sandbox.control.desk import Form, add, wrong
from sandbox.state import World


class BillLineForm(Form):
    """`add`: a row of `day` that the merchant knows nothing of; `omit` and `amount`: of a row that it knows.

    A payment is named by `out_trade_no`, a refund by its own number in `out_request_no`.
    """

    action: Literal["add", "omit", "amount"] = "add"
    out_trade_no: str = ""
    out_request_no: str = ""
    day: date | None = None
    amount_fen: int = Field(default=1, ge=1)


def mount(app: "Sanic[Any, Any]", world: World) -> None:
    add(app, world, "POST /pay/bill-line", BillLineForm, _pay)
    add(app, world, "POST /alipay/bill-line", BillLineForm, _alipay)


async def _pay(world: World, form: BillLineForm, _request: Request) -> dict[str, Any]:
    if form.action != "add":
        return _change(world.bills.changes, form)
    move = world.bills.add_line(
        _day(form),
        out_trade_no=_number(form.out_trade_no),
        amount_fen=form.amount_fen,
        out_refund_no=form.out_request_no,
    )
    return {"result": "ok", "line": asdict(move)}


async def _alipay(world: World, form: BillLineForm, _request: Request) -> dict[str, Any]:
    changes = world.alipay.billing.changes
    if form.action != "add":
        return _change(changes, form)
    day = _day(form)
    line = Line(
        trade_no=f"{day:%Y%m%d}22001{secrets.randbelow(10**15):015}",
        out_trade_no=_number(form.out_trade_no),
        subject="不动产登记费",
        created_at=f"{day} 12:00:00",
        at=f"{day} 12:00:30",
        amount=form.amount_fen,
        out_request_no=form.out_request_no,
    )
    changes.add(asdict(line))
    return {"result": "ok", "line": asdict(line)}


def _change(changes: BillChanges, form: BillLineForm) -> dict[str, Any]:
    number = form.out_request_no or _number(form.out_trade_no)
    if form.action == "omit":
        changes.omit(number)
    else:
        changes.misstate(number, form.amount_fen)
    return {"result": "ok"}


def _number(text: str) -> str:
    if not text:
        raise wrong("which order or refund is meant?")
    return text


def _day(form: BillLineForm) -> date:
    if form.day is None:
        raise wrong("a line that is added needs its day")
    return form.day
