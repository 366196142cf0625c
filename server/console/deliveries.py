"""The post desk: who asked for a paper certificate, what goes on the label, and what needs looking after."""

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.errors import PermissionMissing
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from server.console.districts import check_whole_city, scope_of
from server.delivery import errors, queries, service
from server.delivery.queries import DeliveryView
from server.delivery.states import Attention, ParcelState, Settlement
from server.journeys import posting
from server.journeys.house import House
from server.terms.open_words import public_reason, stated_reason

Reason = Annotated[str, Field(min_length=2, max_length=200), AfterValidator(stated_reason)]
_FAULTS = {"unknown_waybill": "运单号不是本机构寄出的", "unreadable": "推送内容读不出来"}


class DeliveryPage(Page):
    state: ParcelState | None = None
    attention: bool = False


class StaffDelivery(Answer):
    """`attention` says why staff should look; `old_certificate_recalled` is the statement made when it was sent.

    `settled_as` is what staff found out, `settlement` what they wrote to the resident about it.
    """

    id: str
    certificate_id: str
    certificate_number: str
    district: str
    state: str
    state_text: str
    name_masked: str
    phone_masked: str
    receiver_district: str
    address_masked: str
    carrier: str | None
    waybill: str | None
    watch: str
    attention: str | None
    attention_text: str | None
    old_certificate_recalled: bool | None
    requested_at: str
    dispatched_at: str | None
    last_event_at: str | None
    signed_at: str | None
    signed_by: str | None
    settled_as: str | None
    settled_as_text: str | None
    settlement: str


class StaffDeliveries(Answer):
    items: list[StaffDelivery]
    next: str | None


class LabelInput(Input):
    reason: Reason


class ShippingLabel(Answer):
    """In clear, for the label; the contents do not say what they are."""

    name: str
    phone: str
    district: str
    address: str
    postcode: str
    contents_code: str
    contents_text: str


class DispatchInput(Input):
    """`old_certificate_recalled`: true when the old paper is back, false states that there was none."""

    carrier: Literal["ems", "youzhengguonei", "shunfeng"]
    waybill: Annotated[str, Field(min_length=1, max_length=40)]
    old_certificate_recalled: bool


class WaybillInput(Input):
    """The right number in the place of a mistyped one."""

    carrier: Literal["ems", "youzhengguonei", "shunfeng"]
    waybill: Annotated[str, Field(min_length=1, max_length=40)]
    reason: Reason


class SettlementInput(Input):
    """What became of it; the resident reads `note`, on a phone that others may see."""

    outcome: Settlement
    note: Annotated[str, Field(min_length=2, max_length=100), AfterValidator(public_reason)]


class Explanation(Input):
    reason: Reason


class Explained(Answer):
    id: str


class Stray(Answer):
    id: str
    fault: str
    fault_text: str
    waybill: str
    created_at: str


class Strays(Answer):
    items: list[Stray]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of the post desk; the platform's, where residents ask."""
    routes = Routes("staff_deliveries", "/staff/v1/deliveries", edge)
    _reading(routes, house)
    _sending(routes, house)
    _correcting(routes, house)
    _explaining(routes, house)
    return routes.blueprint


def _reading(routes: Routes, house: House) -> None:
    reader = staff("delivery.read")

    @routes.get(
        "",
        access=reader,
        summary="Posted certificates of my districts, oldest first",
        query=DeliveryPage,
        answer=StaffDeliveries,
    )
    async def deliveries(call: Call[DeliveryPage]) -> StaffDeliveries:
        page = call.input
        found = await queries.listed(
            house.delivery,
            scope=scope_of(call),
            state=page.state,
            attention=page.attention,
            after=page.cursor or "",
            limit=page.wanted,
        )
        shown, following = page.cut(found)
        return StaffDeliveries(items=[_present(each) for each in shown], next=following)

    @routes.get(
        "/strays",
        access=reader,
        summary="Pushes of carriers that are about no parcel of ours, oldest first",
        query=Page,
        answer=Strays,
        errors=(PermissionMissing,),
    )
    async def strays(call: Call[Page]) -> Strays:
        check_whole_city(call, "这些推送")
        page = call.input
        found = await queries.strays(house.delivery, after=page.cursor or "", limit=page.wanted)
        shown, following = page.cut(found)
        items = [
            Stray(
                id=each.id,
                fault=each.fault,
                fault_text=_FAULTS[each.fault],
                waybill=each.waybill,
                created_at=rfc3339(each.created_at),
            )
            for each in shown
        ]
        return Strays(items=items, next=following)


def _sending(routes: Routes, house: House) -> None:
    sender = staff("delivery.dispatch")

    @routes.post(
        "/<delivery_id:str>/label",
        access=sender,
        keyed=False,
        summary="The receiver in clear, for the label; leaves a trace with the reason",
        body=LabelInput,
        answer=ShippingLabel,
        rate="60/minute",
        errors=(errors.DeliveryNotFound,),
    )
    async def label(call: Call[LabelInput], delivery_id: str) -> ShippingLabel:
        found = await service.label(
            house.delivery,
            staff_id=call.who.id,
            scope=scope_of(call),
            delivery_id=delivery_id,
            reason=call.input.reason,
        )
        return ShippingLabel(**asdict(found))

    @routes.post(
        "/<delivery_id:str>/dispatch",
        access=sender,
        summary="The paper went to the carrier",
        body=DispatchInput,
        answer=StaffDelivery,
        errors=(
            errors.DeliveryNotFound,
            errors.DeliveryStateWrong,
            errors.CertificateNotValid,
            errors.OldCertificateNotRecalled,
            errors.CarrierNotOffered,
            errors.WaybillUsed,
        ),
    )
    async def dispatch(call: Call[DispatchInput], delivery_id: str) -> StaffDelivery:
        scope = scope_of(call)
        done = await call.once(
            lambda key: posting.dispatch(
                house,
                staff_id=call.who.id,
                scope=scope,
                delivery_id=delivery_id,
                carrier=call.input.carrier,
                waybill=call.input.waybill,
                old_certificate_recalled=call.input.old_certificate_recalled,
                key=key,
            )
        )
        return _present(await queries.one_in_scope(house.delivery, scope=scope, delivery_id=done))


def _correcting(routes: Routes, house: House) -> None:
    """What staff say of a parcel where the carrier's word is wrong, or there is none."""
    sender = staff("delivery.dispatch")

    @routes.post(
        "/<delivery_id:str>/waybill",
        access=sender,
        summary="The number was mistyped: what was told of the other parcel is forgotten, the right one is watched",
        body=WaybillInput,
        answer=StaffDelivery,
        errors=(errors.DeliveryNotFound, errors.DeliveryStateWrong, errors.CarrierNotOffered, errors.WaybillUsed),
    )
    async def correct_waybill(call: Call[WaybillInput], delivery_id: str) -> StaffDelivery:
        scope, given = scope_of(call), call.input
        done = await call.once(
            lambda key: service.correct_waybill(
                house.delivery,
                staff_id=call.who.id,
                scope=scope,
                delivery_id=delivery_id,
                carrier=given.carrier,
                waybill=given.waybill,
                reason=given.reason,
                key=key,
            )
        )
        return _present(await queries.one_in_scope(house.delivery, scope=scope, delivery_id=done))

    @routes.post(
        "/<delivery_id:str>/settlement",
        access=sender,
        summary="What became of a parcel, where the carrier does not say: not sent, handed over, come back, lost",
        body=SettlementInput,
        answer=StaffDelivery,
        errors=(errors.DeliveryNotFound, errors.DeliveryStateWrong),
    )
    async def settle(call: Call[SettlementInput], delivery_id: str) -> StaffDelivery:
        scope, given = scope_of(call), call.input
        done = await call.once(
            lambda key: service.settle(
                house.delivery,
                staff_id=call.who.id,
                scope=scope,
                delivery_id=delivery_id,
                outcome=given.outcome,
                note=given.note,
                key=key,
            )
        )
        return _present(await queries.one_in_scope(house.delivery, scope=scope, delivery_id=done))


def _explaining(routes: Routes, house: House) -> None:
    @routes.post(
        "/strays/<stray_id:str>/explanation",
        access=staff("delivery.dispatch"),
        summary="A stray push was looked into: it leaves the list",
        body=Explanation,
        answer=Explained,
        errors=(errors.DeliveryNotFound, PermissionMissing),
    )
    async def explain(call: Call[Explanation], stray_id: str) -> Explained:
        check_whole_city(call, "这些推送")
        done = await call.once(
            lambda key: service.explain_stray(
                house.delivery, staff_id=call.who.id, stray_id=stray_id, reason=call.input.reason, key=key
            )
        )
        return Explained(id=done)


def _present(view: DeliveryView) -> StaffDelivery:
    return StaffDelivery(
        id=view.id,
        certificate_id=view.certificate_id,
        certificate_number=view.certificate_number,
        district=view.district,
        state=view.state.value,
        state_text=view.state.text,
        name_masked=view.name_masked,
        phone_masked=view.phone_masked,
        receiver_district=view.receiver_district,
        address_masked=view.address_masked,
        carrier=view.carrier,
        waybill=view.waybill,
        watch=view.watch,
        attention=view.attention,
        attention_text=Attention(view.attention).text if view.attention else None,
        old_certificate_recalled=view.old_certificate_recalled,
        requested_at=rfc3339(view.requested_at),
        dispatched_at=rfc3339(view.dispatched_at) if view.dispatched_at else None,
        last_event_at=rfc3339(view.last_event_at) if view.last_event_at else None,
        signed_at=rfc3339(view.signed_at) if view.signed_at else None,
        signed_by=view.signed_by,
        settled_as=view.settled_as.value if view.settled_as else None,
        settled_as_text=view.settled_as.text if view.settled_as else None,
        settlement=view.settlement,
    )
