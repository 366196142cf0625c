"""The wallets' daily bills beside our books, and what of them does not fit."""

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
from kit.web.validation import Answer
from payments import bill_queries as queries
from payments import service
from payments.bill_queries import BillView, FindingView
from payments.bills.bill import Totals
from payments.errors import BillAskedForAnyway, BillNotFound, FindingNotFound, FindingResolved
from payments.ports import Needs
from payments.rules import wallet_text
from server.console.districts import BOOKS, check_whole_city
from server.console.payments import Note
from server.journeys.house import House

_FIRST_DAY = date(2020, 1, 1)


class BillsOfDay(Page):
    """`day` is one in China, such as 2026-11-21; without it, all of them, in the order they were opened."""

    day: Annotated[date, Field(ge=_FIRST_DAY)] | None = None


class Sums(Answer):
    """One side's counts and fen of the day."""

    payments: int
    payments_fen: int
    refunds: int
    refunds_fen: int


class Bill(Answer):
    """`theirs` is what the wallet's bill says, `ours` what our books have of the same; amounts in fen.

    `net_fen` is what reaches the account: what the wallet settles, less `service_fee_fen`. `nothing_unexplained` is
    true once the bill was fetched, believed and matched; `error` says why the last attempt brought nothing.
    """

    id: str
    wallet: str
    wallet_text: str
    day: str
    state: str
    state_text: str
    error: str
    theirs: Sums
    ours: Sums
    service_fee_fen: int
    net_fen: int
    unexplained: int
    nothing_unexplained: bool
    fetched_at: str | None
    matched_at: str | None
    digest: str


class Bills(Answer):
    items: list[Bill]
    next: str | None


class Finding(Answer):
    """One thing that does not fit; amounts in fen, null where a side has none, `line` the bill's.

    Explained when `discrepancy_id` names what was known already; `resolved_by` is null where it was found gone.
    """

    id: str
    bill_id: str
    kind: str
    kind_text: str
    line_kind: str
    line_kind_text: str
    out_trade_no: str
    transaction_id: str
    out_refund_no: str
    ours_fen: int | None
    theirs_fen: int | None
    line: int | None
    order_id: str | None
    discrepancy_id: str | None
    fault_text: str | None
    open: bool
    resolved_at: str | None
    resolved_by: str | None
    note: str | None
    created_at: str


class Findings(Answer):
    items: list[Finding]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of daily bills."""
    routes = Routes("staff_bills", "/staff/v1/payments", edge)
    _bills(routes, house.payments)
    _findings(routes, house.payments)
    return routes.blueprint


def _bills(routes: Routes, needs: Needs) -> None:
    @routes.get(
        "/bills",
        access=staff("payments.read"),
        summary="The wallets' daily bills beside our books",
        query=BillsOfDay,
        answer=Bills,
        errors=(PermissionMissing,),
    )
    async def bills(call: Call[BillsOfDay]) -> Bills:
        check_whole_city(call, BOOKS)
        page = call.input
        found = await queries.bills(needs, day=page.day, after=page.cursor or "", limit=page.wanted)
        shown, following = page.cut(found)
        return Bills(items=[_bill(each) for each in shown], next=following)


def _findings(routes: Routes, needs: Needs) -> None:
    @routes.get(
        "/bills/<bill_id:str>/findings",
        access=staff("payments.read"),
        summary="What of a bill does not fit, or did not, in the order it was found",
        query=Page,
        answer=Findings,
        errors=(PermissionMissing, BillNotFound),
    )
    async def findings(call: Call[Page], bill_id: str) -> Findings:
        check_whole_city(call, BOOKS)
        page = call.input
        if await queries.bill(needs, bill_id=bill_id) is None:
            raise BillNotFound
        found = await queries.findings(needs, bill_id=bill_id, after=page.cursor or "", limit=page.wanted)
        shown, following = page.cut(found)
        return Findings(items=[_finding(each) for each in shown], next=following)

    _by_hand(routes, needs)


def _by_hand(routes: Routes, needs: Needs) -> None:
    @routes.post(
        "/bills/<bill_id:str>/fetch",
        access=staff("payments.reconcile"),
        summary="Ask for a bill once more that is asked for no more by itself",
        answer=Bill,
        errors=(PermissionMissing, BillNotFound, BillAskedForAnyway),
    )
    async def fetch(call: Call[None], bill_id: str) -> Bill:
        check_whole_city(call, BOOKS)
        asked = await call.once(lambda key: service.fetch_again(needs, bill_id=bill_id, staff_id=call.who.id, key=key))
        found = await queries.bill(needs, bill_id=asked)
        if found is None:
            raise BillNotFound
        return _bill(found)

    @routes.post(
        "/bill-findings/<finding_id:str>/resolution",
        access=staff("payments.reconcile"),
        summary="Write down how a finding was settled",
        body=Note,
        answer=Finding,
        errors=(PermissionMissing, FindingNotFound, FindingResolved),
    )
    async def resolve(call: Call[Note], finding_id: str) -> Finding:
        check_whole_city(call, BOOKS)
        done = await call.once(
            lambda key: service.resolve_finding(
                needs, finding_id=finding_id, staff_id=call.who.id, note=call.input.note, key=key
            )
        )
        found = await queries.finding(needs, finding_id=done)
        if found is None:
            raise FindingNotFound
        return _finding(found)


def _bill(view: BillView) -> Bill:
    return Bill(
        id=view.id,
        wallet=view.wallet,
        wallet_text=wallet_text(view.wallet),
        day=view.day.isoformat(),
        state=view.state,
        state_text=view.state.text,
        error=view.error,
        theirs=_sums(view.theirs),
        ours=_sums(view.ours),
        service_fee_fen=view.theirs.service_fee_fen,
        net_fen=view.theirs.net_fen,
        unexplained=view.unexplained,
        nothing_unexplained=view.nothing_unexplained,
        fetched_at=rfc3339(view.fetched_at) if view.fetched_at else None,
        matched_at=rfc3339(view.matched_at) if view.matched_at else None,
        digest=view.digest,
    )


def _sums(totals: Totals) -> Sums:
    return Sums(
        payments=totals.payments,
        payments_fen=totals.payments_fen,
        refunds=totals.refunds,
        refunds_fen=totals.refunds_fen,
    )


def _finding(view: FindingView) -> Finding:
    return Finding(
        id=view.id,
        bill_id=view.bill_id,
        kind=view.kind,
        kind_text=view.kind.text,
        line_kind=view.line_kind,
        line_kind_text=view.line_kind.text,
        out_trade_no=view.out_trade_no,
        transaction_id=view.transaction_id,
        out_refund_no=view.out_refund_no,
        ours_fen=view.ours_fen,
        theirs_fen=view.theirs_fen,
        line=view.position,
        order_id=view.order_id,
        discrepancy_id=view.discrepancy_id,
        fault_text=view.fault.text if view.fault else None,
        open=view.open,
        resolved_at=rfc3339(view.resolved_at) if view.resolved_at else None,
        resolved_by=view.resolved_by,
        note=view.note,
        created_at=rfc3339(view.created_at),
    )
