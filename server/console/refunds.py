"""Giving money back: finance says what of which order, the worker asks the wallet."""

from typing import Annotated

from pydantic import Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.errors import PermissionMissing
from kit.web.routes import Routes
from kit.web.validation import Answer, Id, Input
from payments import errors, queries
from payments import service as payments
from payments.queries import RefundView
from payments.rules import wallet_text
from server.console.districts import BOOKS, check_whole_city
from server.journeys.house import House


class RefundInput(Input):
    """In fen. `attempt_id` names another payment of the order than the one that settled it.

    That may be a second one, or a disputed one, of which goes back what the wallet holds.
    """

    amount_fen: Annotated[int, Field(ge=1, le=10_000_000_000)]
    reason: Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
    attempt_id: Id | None = None


class Refund(Answer):
    """The amount in fen; `refusal` is the wallet's own code while it refuses, and asking goes on."""

    id: str
    order_id: str
    attempt_id: str
    wallet: str
    wallet_text: str
    out_trade_no: str
    out_refund_no: str
    wallet_refund_id: str
    cause: str
    cause_text: str
    reason: str
    amount_fen: int
    state: str
    state_text: str
    refusal: str
    asked_by: str | None
    created_at: str
    refunded_at: str | None


class Refunds(Answer):
    """All refunds of one order, oldest first: fifty at most of each payment."""

    items: list[Refund]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of refunds; the platform's, where the money came in."""
    routes = Routes("staff_refunds", "/staff/v1/payments", edge)
    needs = house.payments

    @routes.post(
        "/orders/<order_id:str>/refunds",
        access=staff("payments.refund"),
        summary="Give money of an order back to its payer",
        body=RefundInput,
        answer=Refund,
        status=201,
        rate="30/minute",
        errors=(
            PermissionMissing,
            errors.OrderNotFound,
            errors.OrderNotPaid,
            errors.PaymentNotHeld,
            errors.RefundTooLarge,
            errors.RefundTooLate,
            errors.RefundTooMany,
            errors.WalletNotOffered,
        ),
    )
    async def refund(call: Call[RefundInput], order_id: str) -> Refund:
        check_whole_city(call, BOOKS)
        refund_id = await call.once(
            lambda key: payments.refund(
                needs,
                order_id=order_id,
                attempt_id=call.input.attempt_id,
                amount_fen=call.input.amount_fen,
                reason=call.input.reason.strip(),
                staff_id=call.who.id,
                key=key,
            )
        )
        found = await queries.refund(needs, refund_id=refund_id)
        if found is None:
            raise errors.OrderNotFound
        return _shown(found)

    @routes.get(
        "/orders/<order_id:str>/refunds",
        access=staff("payments.read"),
        summary="What of an order was given back, or is on its way",
        answer=Refunds,
        errors=(PermissionMissing,),
    )
    async def refunds(call: Call[None], order_id: str) -> Refunds:
        check_whole_city(call, BOOKS)
        found = await queries.refunds(needs, order_id=order_id)
        return Refunds(items=[_shown(each) for each in found], next=None)

    return routes.blueprint


def _shown(view: RefundView) -> Refund:
    return Refund(
        id=view.id,
        order_id=view.order_id,
        attempt_id=view.attempt_id,
        wallet=view.wallet,
        wallet_text=wallet_text(view.wallet),
        out_trade_no=view.out_trade_no,
        out_refund_no=view.out_refund_no,
        wallet_refund_id=view.wallet_refund_id,
        cause=view.cause.value,
        cause_text=view.cause.text,
        reason=view.reason,
        amount_fen=view.amount_fen,
        state=view.state.value,
        state_text=view.state.text,
        refusal=view.refusal,
        asked_by=view.asked_by,
        created_at=rfc3339(view.created_at),
        refunded_at=rfc3339(view.refunded_at) if view.refunded_at else None,
    )
