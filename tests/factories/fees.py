"""Accepted applications that wait for their fee, filed all at once."""

from collections.abc import Sequence
from datetime import datetime

from kit.ids import new_id
from payments.models import Order
from server.applications.models import Application, ApplicationStep, ApplicationTrack
from server.applications.states import Hold, State, TrackState
from tests.factories.applications import DISTRICT, PRICE

VERSION = 7
"""Of each of them, before anything is told to it."""


async def file_due(orders: Sequence[Order], *, at: datetime) -> None:
    """An application for each order's subject, held and told of the order as when its fee falls due."""
    await Application.bulk_create([_application(order, at) for order in orders])
    await ApplicationTrack.bulk_create([_track(order, at) for order in orders])
    await ApplicationStep.bulk_create([_step(order, at) for order in orders])


def _application(order: Order, at: datetime) -> Application:
    return Application(
        id=order.subject_id,
        district=DISTRICT,
        mode="remote",
        origin="mini_program",
        business_type="second_hand_sale",
        catalogue_version=1,
        requirements="{}",
        state=State.ACCEPTED,
        version=VERSION,
        hold=Hold.PAYMENT,
        price_fen=PRICE,
        opened_by=order.payer_id,
        submitted_at=at,
        accepted_at=at,
        fee_order_id=order.id,
        fee_amount_fen=order.amount_fen,
        created_at=at,
        updated_at=at,
    )


def _track(order: Order, at: datetime) -> ApplicationTrack:
    return ApplicationTrack(
        id=new_id(),
        application_id=order.subject_id,
        position=0,
        code="fee",
        name="登记费",
        state=TrackState.OPEN,
        updated_at=at,
    )


def _step(order: Order, at: datetime) -> ApplicationStep:
    return ApplicationStep(
        id=new_id(),
        application_id=order.subject_id,
        message_id=f"fee_due:{order.id}",
        code="fee_due",
        name="请缴纳登记费",
        happened_at=at,
    )
