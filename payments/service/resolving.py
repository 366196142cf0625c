"""What staff settle by hand: a finding of a bill, a discrepancy; each once, with a note, on record."""

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from payments.bill_models import NOTE_AT, BillFinding, DailyBill
from payments.errors import (
    DiscrepancyNotFound,
    DiscrepancyResolved,
    DiscrepancyUnderWay,
    FindingNotFound,
    FindingResolved,
)
from payments.models import NOTE_AT as DISCREPANCY_NOTE_AT
from payments.models import Discrepancy, Refund
from payments.ports import Needs
from payments.refund_rules import RefundState, asked_no_more
from payments.service.reconciling import set_state


@transactional
async def resolve_finding(
    needs: Needs, *, finding_id: str, staff_id: str, note: str, key: RequestKey | None = None
) -> str:
    """Write down how a finding was settled, and by whom; answers its id.

    Errors: FINDING_NOT_FOUND, FINDING_RESOLVED.
    """
    known = await BillFinding.get_or_none(id=finding_id)
    if known is None:
        raise FindingNotFound
    # The bill first: whoever matches it again meanwhile waits, or is waited for.
    bill = await DailyBill.select_for_update().get(id=known.bill_id)
    finding = await BillFinding.select_for_update().get(id=finding_id)
    if finding.resolved_at is not None:
        raise FindingResolved
    now = needs.clock.now()
    finding.resolved_at = finding.updated_at = now
    finding.resolved_by = staff_id
    finding.note_sealed = needs.cipher.seal(note, (NOTE_AT, finding_id))
    await finding.save()
    await set_state(bill)
    bill.updated_at = now
    bill.version += 1
    await bill.save()
    await record(
        actor=Actor("staff", staff_id),
        action="payments.finding_resolved",
        subject=("bill_finding", finding_id),
        details={"bill": bill.id, "kind": finding.kind},
        at=now,
    )
    if key is not None:
        await key.settle(result_id=finding_id, status=200)
    return finding_id


@transactional
async def resolve_discrepancy(needs: Needs, *, discrepancy_id: str, staff_id: str, note: str, key: RequestKey) -> str:
    """Write down how a discrepancy was settled, and by whom; answers its id.

    Errors: DISCREPANCY_NOT_FOUND, DISCREPANCY_RESOLVED, DISCREPANCY_UNDER_WAY.
    """
    found = await Discrepancy.select_for_update().get_or_none(id=discrepancy_id)
    if found is None:
        raise DiscrepancyNotFound
    if found.resolved_at is None and await _refund_goes_on(needs, found):
        # The wallet's next refusal would be about the same thing, and would not be shown again.
        raise DiscrepancyUnderWay
    now = needs.clock.now()
    sealed = needs.cipher.seal(note, (DISCREPANCY_NOTE_AT, discrepancy_id))
    # Where row locks do not reach, the condition lets one of two through.
    changed = await Discrepancy.filter(id=discrepancy_id, resolved_at=None).update(
        resolved_at=now, resolved_by=staff_id, note_sealed=sealed
    )
    if not changed:
        raise DiscrepancyResolved
    await record(
        actor=Actor("staff", staff_id),
        action="payments.discrepancy_resolved",
        subject=("payment_discrepancy", discrepancy_id),
        details={"fault": found.fault, "wallet": found.wallet},
        at=now,
    )
    await key.settle(result_id=discrepancy_id, status=200)
    return discrepancy_id


async def _refund_goes_on(needs: Needs, found: Discrepancy) -> bool:
    refund = await Refund.get_or_none(id=found.refund_ref) if found.refund_ref else None
    if refund is None or RefundState(refund.state).final:
        return False
    return not asked_no_more(created_at=refund.created_at, now=needs.clock.now())
