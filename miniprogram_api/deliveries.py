"""A certificate's paper by express: asking for it, taking the request back, and where it is."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Empty, Id, Input
from server.certificates.errors import CertificateNotFound
from server.delivery import errors, queries, rules, service
from server.delivery.queries import DeliveryView, Line
from server.delivery.rules import CARRIERS
from server.delivery.service import Receiver
from server.delivery.states import ParcelState
from server.identity.rules import Level
from server.journeys import posting
from server.journeys.house import House
from server.terms.person_name import PersonName
from server.terms.phone import Phone

_Text = Annotated[str, Field(min_length=1, max_length=200)]


class ReceiverInput(Input):
    """`district` is a county-level code (GB/T 2260), `address` what follows it: street, building, door."""

    name: Annotated[_Text, AfterValidator(lambda text: PersonName.parse(text).text)]
    phone: Annotated[_Text, AfterValidator(lambda text: Phone.parse(text).number)]
    district: Annotated[_Text, AfterValidator(rules.district)]
    address: Annotated[_Text, AfterValidator(rules.address)]
    postcode: Annotated[_Text, AfterValidator(rules.postcode)]

    def parsed(self) -> Receiver:
        return Receiver.parse(**self.model_dump())


class DeliveryInput(Input):
    certificate_id: Id
    receiver: ReceiverInput


class MaskedReceiver(Answer):
    name_masked: str
    phone_masked: str
    district: str
    address_masked: str


class TimelineEntry(Answer):
    """`text` is the carrier's own sentence; `state` is null where a line means nothing by itself."""

    at: str
    state: str | None
    state_text: str | None
    text: str
    location: str


class DeliverySummary(Answer):
    """`carrier` and `waybill` once it is sent; `signed_by` is `self`, `other`, `locker`, or null if nobody said."""

    id: str
    certificate_id: str
    certificate_number: str
    state: str
    state_text: str
    receiver: MaskedReceiver
    carrier: str | None
    carrier_text: str | None
    waybill: str | None
    requested_at: str
    dispatched_at: str | None
    signed_at: str | None
    signed_by: str | None


class Delivery(DeliverySummary):
    """`timeline` newest first."""

    timeline: list[TimelineEntry]


class DeliveryList(Answer):
    items: list[DeliverySummary]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of posted certificates."""
    routes = Routes("deliveries", "/api/v1/deliveries", edge)
    _asking(routes, house)
    _reading(routes, house)
    return routes.blueprint


def _asking(routes: Routes, house: House) -> None:
    @routes.post(
        "",
        access=resident(Level.REAL_NAME),
        summary="Ask for the paper of a certificate of mine by express",
        body=DeliveryInput,
        answer=Delivery,
        status=201,
        rate="10/minute",
        errors=(
            CertificateNotFound,
            errors.CertificateNotValid,
            errors.PaperWithHolder,
            errors.ReceiverNotHolder,
            errors.DeliveryOpen,
        ),
    )
    async def ask(call: Call[DeliveryInput]) -> Delivery:
        delivery_id = await call.once(
            lambda key: posting.ask(
                house,
                resident_id=call.who.id,
                certificate_id=call.input.certificate_id,
                receiver=call.input.receiver.parsed(),
                key=key,
            )
        )
        return await _full(house, call.who.id, delivery_id)

    @routes.post(
        "/<delivery_id:str>/cancellation",
        access=resident(Level.REAL_NAME),
        summary="Take a request back before it is sent",
        body=Empty,
        answer=Delivery,
        errors=(errors.DeliveryNotFound, errors.DeliveryStateWrong),
    )
    async def cancel(call: Call[Empty], delivery_id: str) -> Delivery:
        done = await call.once(
            lambda key: service.cancel(house.delivery, resident_id=call.who.id, delivery_id=delivery_id, key=key)
        )
        return await _full(house, call.who.id, done)


def _reading(routes: Routes, house: House) -> None:
    @routes.get(
        "",
        access=resident(Level.REAL_NAME),
        summary="My posted certificates, newest first",
        query=Page,
        answer=DeliveryList,
    )
    async def my_deliveries(call: Call[Page]) -> DeliveryList:
        page = call.input
        found = await queries.mine(house.delivery, resident_id=call.who.id, before=page.cursor, limit=page.wanted)
        shown, following = page.cut(found)
        return DeliveryList(items=[_summary(each) for each in shown], next=following)

    @routes.get(
        "/<delivery_id:str>",
        access=resident(Level.REAL_NAME),
        summary="One of them, with its timeline",
        answer=Delivery,
        errors=(errors.DeliveryNotFound,),
    )
    async def my_delivery(call: Call[None], delivery_id: str) -> Delivery:
        return await _full(house, call.who.id, delivery_id)


async def _full(house: House, resident_id: str, delivery_id: str) -> Delivery:
    view = await queries.one_of_mine(house.delivery, resident_id=resident_id, delivery_id=delivery_id)
    lines = await queries.timeline(house.delivery, delivery_id=view.id)
    entries = _findings(view) + [_entry(line) for line in lines] + _own_entries(view)
    return Delivery(**_summary(view).model_dump(), timeline=entries)


def _entry(line: Line) -> TimelineEntry:
    return TimelineEntry(
        at=rfc3339(line.at),
        state=line.state.value if line.state else None,
        state_text=line.state.text if line.state else None,
        text=line.text,
        location=line.location,
    )


def _own_entries(view: DeliveryView) -> list[TimelineEntry]:
    """What happened before the carrier had it, newest first."""
    steps = [(view.requested_at, ParcelState.REQUESTED, "您已申请邮寄纸质证书")]
    if view.dispatched_at is not None:
        text = f"登记机构已寄出，{CARRIERS.get(view.carrier or '', '快递')}运单号{view.waybill}"
        steps.append((view.dispatched_at, ParcelState.DISPATCHED, text))
    return [_own_entry(at, state, text) for at, state, text in reversed(steps)]


def _findings(view: DeliveryView) -> list[TimelineEntry]:
    """What staff found out, which is later than all that the carrier said."""
    if view.settled_as is None or view.settled_at is None:
        return []
    return [_own_entry(view.settled_at, view.state, f"{view.settled_as.text}：{view.settlement}")]


def _own_entry(at: datetime, state: ParcelState, text: str) -> TimelineEntry:
    return TimelineEntry(at=rfc3339(at), state=state.value, state_text=state.text, text=text, location="")


def _summary(view: DeliveryView) -> DeliverySummary:
    return DeliverySummary(
        id=view.id,
        certificate_id=view.certificate_id,
        certificate_number=view.certificate_number,
        state=view.state.value,
        state_text=view.state.text,
        receiver=MaskedReceiver(
            name_masked=view.name_masked,
            phone_masked=view.phone_masked,
            district=view.receiver_district,
            address_masked=view.address_masked,
        ),
        carrier=view.carrier,
        carrier_text=CARRIERS.get(view.carrier, view.carrier) if view.carrier else None,
        waybill=view.waybill,
        requested_at=rfc3339(view.requested_at),
        dispatched_at=rfc3339(view.dispatched_at) if view.dispatched_at else None,
        signed_at=rfc3339(view.signed_at) if view.signed_at else None,
        signed_by=view.signed_by,
    )
