"""The books of the registration fees: what was paid on a day, and what wallets said that does not fit."""

from datetime import date
from typing import Annotated

from pydantic import Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.errors import PermissionMissing
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from payments import errors, queries, service
from payments.ports import Needs
from payments.queries import DiscrepancyView, SettledView
from payments.rules import Fault, wallet_text
from server.console.districts import BOOKS, check_whole_city
from server.journeys.house import House

_FIRST_DAY = date(2020, 1, 1)


class Day(Page):
    """`day` is one in China, such as 2026-11-21."""

    day: Annotated[date, Field(ge=_FIRST_DAY)]


class Note(Input):
    """How it was settled, for whoever audits it."""

    note: Annotated[str, Field(min_length=2, max_length=500, pattern=r"\S")]


class Which(Page):
    """Those that wait, or with `resolved` those that were dealt with."""

    resolved: bool = False


class Discrepancy(Answer):
    """Amounts in fen, null where nothing is known; `order_id` is null where the number is nobody's.

    `attempt_id` names the payment, to give it back; `refund_id` the refund that it is about. `resolved_by` is null
    where it came right by itself.
    """

    id: str
    fault: str
    fault_text: str
    wallet: str
    wallet_text: str
    out_trade_no: str
    transaction_id: str
    order_id: str | None
    attempt_id: str | None
    refund_id: str | None
    expected_fen: int | None
    reported_fen: int | None
    resolved_at: str | None
    resolved_by: str | None
    note: str | None
    created_at: str


class Discrepancies(Answer):
    items: list[Discrepancy]
    next: str | None


class Settlement(Answer):
    """One order that was paid; the amount in fen, `subject_id` is what it was charged for."""

    id: str
    order_id: str
    purpose: str
    subject_id: str
    wallet: str
    wallet_text: str
    out_trade_no: str
    transaction_id: str
    amount_fen: int
    paid_at: str


class Settlements(Answer):
    items: list[Settlement]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of the books; the platform's, where the money comes in."""
    routes = Routes("staff_payments", "/staff/v1/payments", edge)
    _discrepancies(routes, house.payments)
    _settlements(routes, house.payments)
    return routes.blueprint


def _discrepancies(routes: Routes, needs: Needs) -> None:
    @routes.get(
        "/discrepancies",
        access=staff("payments.read"),
        summary="What wallets said that was not taken as payment, oldest first",
        query=Which,
        answer=Discrepancies,
        errors=(PermissionMissing,),
    )
    async def discrepancies(call: Call[Which]) -> Discrepancies:
        check_whole_city(call, BOOKS)
        page = call.input
        found = await queries.discrepancies(needs, resolved=page.resolved, after=page.cursor or "", limit=page.wanted)
        shown, following = page.cut(found)
        return Discrepancies(items=[_discrepancy(each) for each in shown], next=following)

    @routes.post(
        "/discrepancies/<discrepancy_id:str>/resolution",
        access=staff("payments.reconcile"),
        summary="Write down how a discrepancy was settled",
        body=Note,
        answer=Discrepancy,
        errors=(
            PermissionMissing,
            errors.DiscrepancyNotFound,
            errors.DiscrepancyResolved,
            errors.DiscrepancyUnderWay,
        ),
    )
    async def resolve(call: Call[Note], discrepancy_id: str) -> Discrepancy:
        check_whole_city(call, BOOKS)
        done = await call.once(
            lambda key: service.resolve_discrepancy(
                needs, discrepancy_id=discrepancy_id, staff_id=call.who.id, note=call.input.note.strip(), key=key
            )
        )
        found = await queries.discrepancy(needs, discrepancy_id=done)
        if found is None:
            raise errors.DiscrepancyNotFound
        return _discrepancy(found)


def _settlements(routes: Routes, needs: Needs) -> None:
    @routes.get(
        "/settlements",
        access=staff("payments.read"),
        summary="What was paid on a day, oldest first",
        query=Day,
        answer=Settlements,
        errors=(PermissionMissing,),
    )
    async def settlements(call: Call[Day]) -> Settlements:
        check_whole_city(call, BOOKS)
        page = call.input
        found = await queries.settled(needs, day=page.day, after=page.cursor or "", limit=page.wanted)
        shown, following = page.cut(found)
        return Settlements(items=[_settlement(each) for each in shown], next=following)


def _discrepancy(view: DiscrepancyView) -> Discrepancy:
    return Discrepancy(
        id=view.id,
        fault=view.fault,
        fault_text=Fault(view.fault).text,
        wallet=view.wallet,
        wallet_text=wallet_text(view.wallet),
        out_trade_no=view.out_trade_no,
        transaction_id=view.transaction_id,
        order_id=view.order_id,
        attempt_id=view.attempt_id,
        refund_id=view.refund_id,
        expected_fen=view.expected_fen,
        reported_fen=view.reported_fen,
        resolved_at=rfc3339(view.resolved_at) if view.resolved_at else None,
        resolved_by=view.resolved_by,
        note=view.note,
        created_at=rfc3339(view.created_at),
    )


def _settlement(view: SettledView) -> Settlement:
    return Settlement(
        id=view.id,
        order_id=view.order_id,
        purpose=view.purpose,
        subject_id=view.subject_id,
        wallet=view.wallet,
        wallet_text=wallet_text(view.wallet),
        out_trade_no=view.out_trade_no,
        transaction_id=view.transaction_id,
        amount_fen=view.amount_fen,
        paid_at=rfc3339(view.paid_at),
    )
