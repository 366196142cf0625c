from contextlib import suppress

from kit.db import transactional
from kit.errors import OutsideError
from payments.models import Attempt, Order
from payments.ports import Needs
from payments.rules import AttemptState, OrderState
from payments.service.polling import close_now


async def call_off(needs: Needs, *, order_id: str) -> None:
    """Let an order be paid no more, unless it was paid already; repeating it is harmless.

    First no new number is given out, then those that were are closed at their wallets. One that cannot be closed now
    is closed by the poller; what is paid under it meanwhile goes back by itself.
    """
    if not await _end(needs, order_id):
        return
    given_out = Attempt.filter(order_id=order_id, state__in=[AttemptState.PREPARING.value, AttemptState.READY.value])
    for attempt_id in await given_out.values_list("id", flat=True):
        with suppress(OutsideError):
            await close_now(needs, attempt_id=str(attempt_id))


@transactional
async def _end(needs: Needs, order_id: str) -> bool:
    order = await Order.select_for_update().get(id=order_id)
    if order.state == OrderState.OPEN:
        order.state = OrderState.CALLED_OFF.value
        order.updated_at = needs.clock.now()
        order.version += 1
        await order.save(update_fields=["state", "updated_at", "version"])
    return bool(order.state == OrderState.CALLED_OFF)
