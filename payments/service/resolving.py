from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from payments.bill_models import NOTE_AT, BillFinding, DailyBill
from payments.errors import FindingNotFound, FindingResolved
from payments.ports import Needs
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
