"""Paying the registration fee from the phone, and what became of it."""

from collections.abc import Iterable
from typing import Literal

from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from payments import errors, queries
from payments.queries import AttemptView, OrderView
from payments.rules import OrderState, wallet_text
from server.identity.rules import Level
from server.journeys import fees
from server.journeys.house import House


class PaymentInput(Input):
    """Which wallet the resident pays with."""

    wallet: Literal["wechat", "alipay"]


class Payment(Answer):
    """`client_params` go unchanged into `wx.requestPayment` or `my.tradePay`; null once nothing is to be paid here."""

    id: str
    order_id: str
    amount_fen: int
    state: str
    state_text: str
    wallet: str
    wallet_text: str
    client_params: dict[str, str] | None
    expires_at: str


class OrderLine(Answer):
    code: str
    name: str
    amount_fen: int


class Order(Answer):
    """Amounts in fen; `wallet` is the one it was paid with, `wallets` those it may be paid with as long as it is open.

    `refunded_fen` is what has gone back of what was owed; what was paid a second time goes back beside it.
    """

    id: str
    amount_fen: int
    state: str
    state_text: str
    lines: list[OrderLine]
    paid_at: str | None
    wallet: str | None
    wallet_text: str | None
    wallets: list[str]
    refunded_fen: int


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of payments."""
    routes = Routes("payments", "/api/v1", edge)
    needs = house.payments
    real_name = resident(Level.REAL_NAME)

    @routes.post(
        "/applications/<application_id:str>/payments",
        access=real_name,
        summary="Pay the registration fee of an application of mine",
        body=PaymentInput,
        answer=Payment,
        status=201,
        rate="30/minute",
        errors=(
            errors.OrderNotFound,
            errors.OrderSettled,
            errors.OrderCalledOff,
            errors.AttemptExpired,
            errors.WalletNotOffered,
            errors.PayerAddressMissing,
            errors.PaymentElsewhere,
            errors.EarlierWalletDown,
        ),
    )
    async def pay(call: Call[PaymentInput], application_id: str) -> Payment:
        attempt_id = await call.once(
            lambda key: fees.pay(
                house,
                application_id=application_id,
                resident_id=call.who.id,
                wallet=call.input.wallet,
                key=key,
            ),
            calls_outside=True,
        )
        attempt = await queries.attempt(needs, attempt_id=attempt_id, payer_id=call.who.id)
        if attempt is None:
            raise errors.OrderNotFound
        return _payment(attempt)

    @routes.get(
        "/payments/<order_id:str>",
        access=real_name,
        summary="What I have to pay or have paid",
        answer=Order,
        errors=(errors.OrderNotFound,),
    )
    async def read(call: Call[None], order_id: str) -> Order:
        order = await queries.order(needs, order_id=order_id, payer_id=call.who.id)
        if order is None:
            raise errors.OrderNotFound
        return _order(order, offered=needs.ordering)

    return routes.blueprint


def _payment(attempt: AttemptView) -> Payment:
    return Payment(
        id=attempt.id,
        order_id=attempt.order_id,
        amount_fen=attempt.amount_fen,
        state=attempt.state.value,
        state_text=attempt.state.text,
        wallet=attempt.wallet,
        wallet_text=wallet_text(attempt.wallet),
        client_params=None if attempt.state.final else attempt.client_params,
        expires_at=rfc3339(attempt.expires_at),
    )


def _order(order: OrderView, *, offered: Iterable[str]) -> Order:
    return Order(
        id=order.id,
        amount_fen=order.amount_fen,
        state=order.state.value,
        state_text=order.state.text,
        lines=[OrderLine(code=line.code, name=line.name, amount_fen=line.amount_fen) for line in order.lines],
        paid_at=rfc3339(order.paid_at) if order.paid_at else None,
        wallet=order.wallet,
        wallet_text=wallet_text(order.wallet) if order.wallet else None,
        wallets=sorted(offered) if order.state is OrderState.OPEN else [],
        refunded_fen=order.refunded_fen,
    )
