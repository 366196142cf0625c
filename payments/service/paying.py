from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from kit.db import transactional
from kit.errors import OutsideError
from kit.idempotency import RequestKey
from kit.ids import new_id
from payments.errors import (
    AttemptExpired,
    EarlierWalletDown,
    OrderCalledOff,
    OrderNotFound,
    OrderSettled,
    PaymentElsewhere,
    WalletNotOffered,
)
from payments.events import AttemptOpened
from payments.models import Attempt, Order
from payments.ports import Account, ClientParams, Needs, NewOrder, Ordering
from payments.rules import (
    ATTEMPT_LASTS,
    AttemptState,
    OrderState,
    may_be_prepared,
    may_be_reused,
    poll_delay,
)
from payments.service.polling import close_now

_STILL_OPEN = (AttemptState.PREPARING.value, AttemptState.READY.value)
_SWITCHES = 3
"""How often a resident's own taps on two phones may cross before one of them is asked to wait."""
_DOWN_HERE = "先前发起的支付还没有关闭，钱包暂时连不上。为避免重复扣款，请过几分钟再试"
_OPEN_HERE = "您先前发起的支付还没有结束，请在那里完成支付，或者过几分钟再试"
_ADDRESS_AT = "payments_attempt.payer_address_sealed"
_CREATED = 201


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the caller of `pay` wants, copied out of reach of any transaction."""

    order_id: str
    payer_id: str
    payer_address: str
    wallet: str
    description: str
    account: Account
    key: RequestKey


class _RivalError(Exception):
    """Other attempts of the order are open; rolls the claim back."""

    def __init__(self, rivals: Sequence[Attempt]) -> None:
        super().__init__()
        self.rivals = rivals


@dataclass(frozen=True, slots=True)
class _Claimed:
    """The attempt, and what its wallet must be asked for; None when that was done before."""

    attempt_id: str
    to_prepare: NewOrder | None


async def pay(
    needs: Needs,
    *,
    order_id: str,
    payer_id: str,
    payer_address: str,
    wallet: str,
    description: str,
    key: RequestKey,
) -> str:
    """Place the order at a wallet and answer the attempt's id; `payer_address` is the payer's id there.

    The wallet's number is the key's id, which is the same when a request is repeated after a crash, and the attempt is
    committed before the wallet hears of it: whatever happens in between is found again by the repetition or by polling.
    Whatever else is open for the order, at another wallet or the same, is closed there first, so that the money cannot
    be taken twice.
    Errors: WALLET_NOT_OFFERED, ORDER_NOT_FOUND, ORDER_SETTLED, ORDER_CALLED_OFF, PAYMENT_EXPIRED, PAYMENT_ELSEWHERE,
    EARLIER_WALLET_DOWN, and OutsideError of the wallet.
    """
    ordering = needs.ordering.get(wallet)
    if ordering is None:
        raise WalletNotOffered
    asked = _Asked(order_id, payer_id, payer_address, wallet, description, ordering.account, key)
    claimed = await _claim_alone(needs, asked)
    order = claimed.to_prepare
    if order is not None:
        params = await _prepared(needs, ordering, order, claimed.attempt_id)
        if not await _make_ready(needs, claimed.attempt_id, params, key):
            # Closed while the wallet was being asked, as its payer chose another: what was just placed must go too.
            await ordering.close(order.out_trade_no)
            raise AttemptExpired
    return claimed.attempt_id


async def _prepared(needs: Needs, ordering: Ordering, order: NewOrder, attempt_id: str) -> ClientParams:
    try:
        return await ordering.prepare(order)
    except OutsideError as error:
        if error.permanent:  # this number will never be taken: the next tap begins with another
            with suppress(OutsideError):
                await close_now(needs, attempt_id=attempt_id)
        raise


async def _claim_alone(needs: Needs, asked: _Asked) -> _Claimed:
    """A claim with nothing else open for the order; asking wallets happens between transactions."""
    for _ in range(_SWITCHES):
        try:
            return await _claim(needs, asked)
        except _RivalError as error:
            await _close(needs, error.rivals, asked)
    raise PaymentElsewhere


async def _close(needs: Needs, rivals: Sequence[Attempt], asked: _Asked) -> None:
    """Close what else is open; what cannot be closed and was not paid may still be paid there."""
    for attempt in rivals:
        here = attempt.wallet == asked.wallet
        try:
            state = await close_now(needs, attempt_id=attempt.id)
        except OutsideError as error:
            raise EarlierWalletDown(_DOWN_HERE if here else None) from error
        if not state.final:
            raise PaymentElsewhere(_OPEN_HERE if here else None)


@transactional
async def _claim(needs: Needs, asked: _Asked) -> _Claimed:
    order = await Order.filter(id=asked.order_id, payer_id=asked.payer_id).select_for_update().get_or_none()
    if order is None:
        raise OrderNotFound
    now = needs.clock.now()
    attempt = await Attempt.get_or_none(out_trade_no=asked.key.id, order_id=order.id)
    if order.state == OrderState.CALLED_OFF:
        raise OrderCalledOff
    if order.state == OrderState.SETTLED and (attempt is None or attempt.state != AttemptState.PAID):
        raise OrderSettled
    if attempt is None:
        attempt = await _reusable(needs, order, asked, now)
    if attempt is not None:
        _check_alive(attempt, now)
    if order.state != OrderState.SETTLED:
        still_open = await Attempt.filter(order_id=order.id, state__in=_STILL_OPEN)
        rivals = [each for each in still_open if attempt is None or each.id != attempt.id]
        if rivals:
            raise _RivalError(rivals)
    if attempt is None:
        attempt = await _open_attempt(needs, order, asked, now)
    return await _go_on(needs, attempt, asked)


async def _reusable(needs: Needs, order: Order, asked: _Asked, now: datetime) -> Attempt | None:
    """The attempt whose number the same payer holds already, or is being given."""
    for attempt in await Attempt.filter(order_id=order.id, wallet=asked.wallet).order_by("-id"):
        same_account = (attempt.merchant_id, attempt.app_id) == (asked.account.merchant_id, asked.account.app_id)
        if (
            same_account
            and may_be_reused(AttemptState(attempt.state), expires_at=attempt.expires_at, now=now)
            and _address(needs, attempt) == asked.payer_address
        ):
            return attempt
    return None


async def _open_attempt(needs: Needs, order: Order, asked: _Asked, now: datetime) -> Attempt:
    attempt_id = new_id()
    delay = poll_delay(0)
    attempt = await Attempt.create(
        id=attempt_id,
        order=order,
        out_trade_no=asked.key.id,
        wallet=asked.wallet,
        merchant_id=asked.account.merchant_id,
        app_id=asked.account.app_id,
        amount_fen=order.amount_fen,
        description=asked.description,
        payer_address_sealed=needs.cipher.seal(asked.payer_address, (_ADDRESS_AT, attempt_id)),
        next_poll_at=now + timedelta(seconds=delay),
        # Whole seconds: wallets compare the end they were given first with the one that a repetition brings.
        expires_at=(now + ATTEMPT_LASTS).replace(microsecond=0),
        created_at=now,
        updated_at=now,
    )
    # Where row locks do not reach, two taps at two wallets meet in this row instead.
    await Order.filter(id=order.id).update(version=order.version + 1, updated_at=now)
    await needs.outbox.publish(AttemptOpened(attempt_id), delay_seconds=delay)
    return attempt


def _check_alive(attempt: Attempt, now: datetime) -> None:
    """Before anything else is closed for its sake."""
    if attempt.state == AttemptState.CLOSED:
        raise AttemptExpired
    if attempt.state == AttemptState.PREPARING and not may_be_prepared(expires_at=attempt.expires_at, now=now):
        raise AttemptExpired


async def _go_on(needs: Needs, attempt: Attempt, asked: _Asked) -> _Claimed:
    if attempt.state != AttemptState.PREPARING:
        await asked.key.settle(result_id=attempt.id, status=_CREATED)
        return _Claimed(attempt.id, None)
    # From the row, not from the request: the wallet takes a number again only with the content it knows.
    return _Claimed(
        attempt.id,
        NewOrder(
            out_trade_no=attempt.out_trade_no,
            amount_fen=attempt.amount_fen,
            description=attempt.description,
            payer_address=_address(needs, attempt),
            expires_at=attempt.expires_at,
        ),
    )


def _address(needs: Needs, attempt: Attempt) -> str:
    return needs.cipher.open(attempt.payer_address_sealed, (_ADDRESS_AT, attempt.id))


@transactional
async def _make_ready(needs: Needs, attempt_id: str, params: ClientParams, key: RequestKey) -> bool:
    """Keep what the phone needs and settle the key; False, and nothing kept, when it was closed meanwhile."""
    attempt = await Attempt.select_for_update().get(id=attempt_id)
    if attempt.state == AttemptState.CLOSED:
        return False
    attempt.client_params = orjson.dumps(params).decode()
    if attempt.state == AttemptState.PREPARING:  # a notice may have been faster
        attempt.state = AttemptState.READY.value
    attempt.updated_at = needs.clock.now()
    attempt.version += 1
    await attempt.save(update_fields=["client_params", "state", "updated_at", "version"])
    await key.settle(result_id=attempt_id, status=_CREATED)
    return True
