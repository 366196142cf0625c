"""What happens to a parcel on its way, and pushes beyond the honest ones."""

from dataclasses import asdict
from typing import Any

from pydantic import Field
from sanic import Request, Sanic

from sandbox.carrier.kuaidi100 import param_of
from sandbox.carrier.parcels import Parcel, SignedBy, Step
from sandbox.control.desk import Form, Nothing, add, wrong
from sandbox.deliveries import Forgery
from sandbox.state import World


class ParcelForm(Form):
    waybill: str = Field(min_length=6, max_length=32)


class AdvanceForm(ParcelForm):
    """`seconds_ago`: a line that comes late; `push` false: scanned, but not told yet."""

    step: Step
    signed_by: SignedBy = "self"
    text: str | None = Field(default=None, max_length=500)
    area: str = "江苏,南京市"
    company: str | None = None
    seconds_ago: float = Field(default=0.0, ge=0)
    push: bool = True


class PushForm(ParcelForm):
    """`only` the first so many lines, as an earlier push had them; `param` sends that text instead of any list."""

    only: int | None = Field(default=None, ge=0)
    wrong_signature: bool = False
    param: str | None = None
    about: str | None = None


class CompanyForm(ParcelForm):
    company: str = Field(min_length=1, max_length=32)


def mount(app: "Sanic[Any, Any]", world: World) -> None:
    add(app, world, "POST /carrier/advance", AdvanceForm, _advance)
    add(app, world, "POST /carrier/push", PushForm, _push)
    add(app, world, "POST /carrier/correct", CompanyForm, _correct)
    add(app, world, "POST /carrier/abort", ParcelForm, _abort)
    add(app, world, "GET /carrier/parcels", Nothing, _parcels)


async def _advance(world: World, form: AdvanceForm, _request: Request) -> dict[str, Any]:
    if form.company is not None:
        world.parcels.change(form.waybill, company=form.company)
    parcel = world.parcels.scan(
        form.waybill,
        form.step,
        signed_by=form.signed_by,
        text=form.text,
        area=form.area,
        seconds_ago=form.seconds_ago,
    )
    if form.push:
        world.kuaidi100.push(parcel)
    return _shown(parcel)


async def _push(world: World, form: PushForm, _request: Request) -> dict[str, Any]:
    """The list as it is, or was, or with another waybill's number (`about`); what the receiver said."""
    parcel = _known(world, form.waybill)
    if not parcel.callback_url:
        raise wrong(f"nobody has subscribed to {form.waybill}", status=409)
    param = form.param if form.param is not None else param_of(parcel, only=form.only)
    if form.about is not None:
        param = param.replace(parcel.waybill, form.about)
    receipt = await world.kuaidi100.send_extra(parcel, param, Forgery(wrong_key=form.wrong_signature))
    return {"status": receipt.status, "body": receipt.body}


async def _correct(world: World, form: CompanyForm, _request: Request) -> dict[str, Any]:
    """The number turns out to be another company's: the next pushes say so, with that company's list alone."""
    parcel = _known(world, form.waybill)
    corrected = world.parcels.change(
        form.waybill, company=form.company, company_before=parcel.company, scans=(), told=False
    )
    return _shown(corrected)


async def _abort(world: World, form: ParcelForm, _request: Request) -> dict[str, Any]:
    """Three days without a record: the provider gives up, and says so."""
    _known(world, form.waybill)
    parcel = world.parcels.change(form.waybill, status="abort", told=False)
    world.kuaidi100.push(parcel)
    return _shown(parcel)


async def _parcels(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"items": [_shown(parcel) for parcel in world.parcels.all()]}


def _known(world: World, waybill: str) -> Parcel:
    found = world.parcels.get(waybill)
    if found is None:
        raise wrong(f"there is no parcel {waybill}", status=404)
    return found


def _shown(parcel: Parcel) -> dict[str, Any]:
    shown = asdict(parcel)
    del shown["salt"]  # the subscriber's secret
    return shown
