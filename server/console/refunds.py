"""Giving money back: finance says what of which order, the worker asks the wallet."""

from typing import Annotated

from pydantic import Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.errors import PermissionMissing
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Id, Input
from payments import errors, queries
from payments import service as payments
from payments.ports import Needs
from payments.queries import RefundView
from payments.rules import wallet_text
from server.console.districts import BOOKS, check_whole_city
from server.console.payments import Note
from server.journeys.house import House


class RefundInput(Input):
    """In fen. `attempt_id` names another payment of the order than the one that settled it.

    That may be a second one, or a disputed one, of which goes back what the wallet holds.
    """

    amount_fen: Annotated[int, Field(ge=1, le=10_000_000_000)]
    reason: Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
    attempt_id: Id | None = None


class Refund(Answer):
    """The amount in fen; `refusal` is the wallet's own code while it refuses, and asking goes on.

    `decided_by` confirmed it or turned it down, where a second person was needed.
    """

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
    decided_by: str | None
    decided_at: str | None
    created_at: str
    refunded_at: str | None


class Refunds(Answer):
    """All refunds of one order, fifty at most of each payment; or a page of those that wait. Oldest first."""

    items: list[Refund]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of refunds; the platform's, where the money came in."""
    routes = Routes("staff_refunds", "/staff/v1/payments", edge)
    needs = house.payments

    @routes.post(
        "/orders/<order_id:str>/refunds",
        access=staff("payments.refund"),
        summary="Give money of an order back to its payer; a larger sum waits for a second person",
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
        return await _found(needs, refund_id)

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

    _second_person(routes, needs)
    return routes.blueprint


def _second_person(routes: Routes, needs: Needs) -> None:
    @routes.get(
        "/refunds/awaiting",
        access=staff("payments.read"),
        summary="Refunds that wait for a second person, oldest first",
        query=Page,
        answer=Refunds,
        errors=(PermissionMissing,),
    )
    async def awaiting(call: Call[Page]) -> Refunds:
        check_whole_city(call, BOOKS)
        page = call.input
        found = await queries.refunds_awaiting(needs, after=page.cursor or "", limit=page.wanted)
        shown, following = page.cut(found)
        return Refunds(items=[_shown(each) for each in shown], next=following)

    @routes.post(
        "/refunds/<refund_id:str>/confirmation",
        access=staff("payments.refund"),
        summary="Let a refund that somebody else asked for go to its wallet",
        answer=Refund,
        errors=(
            PermissionMissing,
            errors.RefundNotFound,
            errors.RefundNotAwaiting,
            errors.RefundOwn,
            errors.RefundTooLate,
        ),
    )
    async def confirm(call: Call[None], refund_id: str) -> Refund:
        check_whole_city(call, BOOKS)
        done = await call.once(
            lambda key: payments.confirm_refund(needs, refund_id=refund_id, staff_id=call.who.id, key=key)
        )
        return await _found(needs, done)

    @routes.post(
        "/refunds/<refund_id:str>/refusal",
        access=staff("payments.refund"),
        summary="Turn down a refund that waits, or take back one's own",
        body=Note,
        answer=Refund,
        errors=(PermissionMissing, errors.RefundNotFound, errors.RefundNotAwaiting),
    )
    async def decline(call: Call[Note], refund_id: str) -> Refund:
        check_whole_city(call, BOOKS)
        reason = call.input.note.strip()
        done = await call.once(
            lambda key: payments.decline_refund(
                needs, refund_id=refund_id, staff_id=call.who.id, reason=reason, key=key
            )
        )
        return await _found(needs, done)


async def _found(needs: Needs, refund_id: str) -> Refund:
    found = await queries.refund(needs, refund_id=refund_id)
    if found is None:
        raise errors.RefundNotFound
    return _shown(found)


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
        decided_by=view.decided_by,
        decided_at=rfc3339(view.decided_at) if view.decided_at else None,
        created_at=rfc3339(view.created_at),
        refunded_at=rfc3339(view.refunded_at) if view.refunded_at else None,
    )
