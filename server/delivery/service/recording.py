"""A carrier's word, however it came: the newest full list is the timeline, and the order of arrival changes nothing.

Every line ever heard is kept with the newest list that holds it; which of them are shown follows from the newest list
of all. So lists that come late, twice or after a newer one end in the same timeline as if all had come in order.
"""

from tortoise.exceptions import IntegrityError

from kit.db import transactional
from kit.ids import new_id
from kit.inbox import open_body
from server.delivery import rules
from server.delivery.models import DeliveryEvent, DeliveryOrder, DeliveryStray
from server.delivery.ports import Needs, UnreadableReport
from server.delivery.rules import LONGEST_CODE, LONGEST_LOCATION, LONGEST_TEXT, Entry, Report
from server.delivery.sealed import TEXT
from server.delivery.service.moves import Standing, hold_certificate, tell_moves
from server.delivery.states import Attention, ParcelState, Watch
from server.terms.open_words import one_line

UNKNOWN, UNREADABLE = "unknown_waybill", "unreadable"


async def record_push(needs: Needs, *, inbox_id: str) -> None:
    """Record a push; what is about no parcel of ours, or cannot be read, becomes a row for staff and nothing else."""
    if needs.pushes is None:
        raise RuntimeError("a push without the provider that reads it")
    body = await open_body(needs.cipher, inbox_id=inbox_id)
    try:
        report = needs.pushes.read(body)
        known = await take(needs, report)
    except UnreadableReport:
        await keep_stray(needs, fault=UNREADABLE, about=inbox_id, waybill="", inbox_id=inbox_id)
        return
    if not known:
        await keep_stray(needs, fault=UNKNOWN, about=report.waybill, waybill=report.waybill, inbox_id=inbox_id)


async def keep_stray(needs: Needs, *, fault: str, about: str, waybill: str, inbox_id: str) -> None:
    """Keep it once, however often it comes."""
    try:
        await _keep_stray(needs, f"{fault}:{about}", fault, waybill, inbox_id)
    except IntegrityError:
        if not await DeliveryStray.exists(dedupe_key=f"{fault}:{about}"):
            raise


@transactional
async def _keep_stray(needs: Needs, dedupe_key: str, fault: str, waybill: str, inbox_id: str) -> None:
    if await DeliveryStray.exists(dedupe_key=dedupe_key):
        return
    await DeliveryStray.create(
        id=new_id(),
        dedupe_key=dedupe_key,
        fault=fault,
        waybill=waybill,
        inbox_ref=inbox_id,
        created_at=needs.clock.now(),
    )


@transactional
async def take(needs: Needs, report: Report) -> bool:
    """Take a carrier's list for what it is worth; False when the waybill is no parcel's of ours.

    UnreadableReport for a list with lines from the future.
    """
    order = await DeliveryOrder.filter(waybill=report.waybill).select_for_update().get_or_none()
    if order is None:
        return False
    now = needs.clock.now()
    if rules.is_ahead(report, now=now):
        raise UnreadableReport("lines from the future")
    if rules.is_former(report, dispatched_at=order.dispatched_at or now):
        return True  # whoever had this number before us
    if report.corrects and report.corrects == order.carrier and report.carrier != order.carrier:
        # The number was another carrier's all along: what was shown is about somebody else's parcel.
        order.carrier = report.carrier
        order.list_rank, order.list_begins_at = "", None
    elif report.carrier != order.carrier:
        return True  # what another carrier says of the same number is about another parcel
    newer = rules.is_newer(report, rank=order.list_rank)
    await _keep_lines(needs, order, report)
    before = Standing.of(order)
    if newer:
        _show(order, report)
    if newer and rules.is_news(report, settled_at=order.settled_at):
        _move(order, report)
        order.settled_as = order.settled_by = order.settled_at = order.settlement_sealed = None
    _watch(order, report, newer=newer)
    order.heard_at, order.updated_at = now, now
    order.version += 1
    await hold_certificate(order)
    await order.save()
    await tell_moves(needs, order, before=before, at=order.last_event_at or now)
    return True


async def _keep_lines(needs: Needs, order: DeliveryOrder, report: Report) -> None:
    """Each line once, as the newest list that holds it says it."""
    rank = report.rank
    known = {event.digest: event for event in await DeliveryEvent.filter(order_id=order.id, carrier=report.carrier)}
    for digest, entry in {entry.digest: entry for entry in report.entries}.items():
        event = known.get(digest)
        if event is None:
            await _keep_line(needs, order, report, entry)
        elif event.list_rank < rank:
            event.list_rank, event.raw_code = rank, entry.raw_code[:LONGEST_CODE]
            event.state = entry.state.value if entry.state else None
            event.location = one_line(entry.location)[:LONGEST_LOCATION]
            await event.save(update_fields=["list_rank", "raw_code", "state", "location"])


async def _keep_line(needs: Needs, order: DeliveryOrder, report: Report, entry: Entry) -> None:
    event_id = new_id()
    await DeliveryEvent.create(
        id=event_id,
        order=order,
        carrier=report.carrier,
        digest=entry.digest,
        list_rank=report.rank,
        at=entry.at,
        state=entry.state.value if entry.state else None,
        raw_code=entry.raw_code[:LONGEST_CODE],
        text_sealed=needs.cipher.seal(one_line(entry.text)[:LONGEST_TEXT], (TEXT, event_id)),
        location=one_line(entry.location)[:LONGEST_LOCATION],
        created_at=needs.clock.now(),
    )


def _show(order: DeliveryOrder, report: Report) -> None:
    order.list_rank, order.list_begins_at = report.rank, report.begins_at
    order.raw_state = report.raw_state[:LONGEST_CODE]
    order.last_event_at = report.newest_first[0].at


def _move(order: DeliveryOrder, report: Report) -> None:
    newest = report.newest_first[0]
    state = report.stands
    order.state = state.value
    signed = [entry.at for entry in report.newest_first if entry.state is ParcelState.SIGNED]
    is_signed = state is ParcelState.SIGNED
    order.signed_at = (signed[0] if signed else newest.at) if is_signed else None
    order.signed_by = report.signed_by.value if is_signed and report.signed_by else None
    attention = rules.attention_of(state, report.signed_by)
    order.attention = attention.value if attention else None


def _watch(order: DeliveryOrder, report: Report, *, newer: bool) -> None:
    final = ParcelState(order.state).final
    if report.aborted:
        order.watch = Watch.ABORTED.value
        if not final:
            order.attention = Attention.SILENT.value
    elif report.ended:
        order.watch = Watch.ENDED.value
    elif newer and order.watch == Watch.ABORTED:
        order.watch = Watch.PUSHED.value
