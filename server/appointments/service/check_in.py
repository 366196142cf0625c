from kit.audit.service import Actor
from kit.db import transactional
from kit.idempotency import RequestKey
from server.appointments.errors import PassUnknown, WrongOffice
from server.appointments.models import Booking, Office
from server.appointments.ports import Needs
from server.appointments.rules import BookingState, check_check_in, check_in_window, pass_hash
from server.appointments.service.rows import deed, save
from server.terms.scope import Scope


@transactional
async def check_in(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    text: str,
    office_id: str | None = None,
    key: RequestKey | None = None,
) -> str:
    """Take a pass in at the counter, once; the appointment is used and its person free to book again.

    `office_id` is where the counter is: a pass of another office is not used up (WRONG_OFFICE).
    PASS_UNKNOWN also for one of another district; CHECK_IN_TOO_EARLY, CHECK_IN_TOO_LATE, APPOINTMENT_USED,
    APPOINTMENT_CANCELLED.
    """
    row = await Booking.filter(pass_hash=pass_hash(text)).select_for_update().first()
    if row is None or not scope.allows(row.district):
        raise PassUnknown
    if office_id is not None and office_id != row.office_id:
        office = await Office.get(id=row.office_id)
        raise WrongOffice(extra={"office_id": office.id, "office_name": office.name})
    now = needs.clock.now()
    window = check_in_window(starts_at=row.starts_at, ends_at=row.ends_at)
    check_check_in(BookingState(row.state), window, now=now)
    row.state, row.active_key = BookingState.CHECKED_IN, None
    row.checked_in_at, row.checked_in_by = now, staff_id
    await save(needs, row, "state", "active_key", "checked_in_at", "checked_in_by")
    await deed(row, by=Actor("staff", staff_id), action="checked_in", at=now)
    if key is not None:
        await key.settle(result_id=row.id, status=200)
    return row.id
