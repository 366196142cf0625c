"""Taxes: we declare, the bureau computes and collects; what it says is stored once."""

from collections.abc import Sequence
from datetime import datetime

from kit.db import transactional
from kit.errors import Permanent
from kit.ids import new_id
from kit.inbox import open_body
from kit.money import yuan
from server.applications.events import TaxCleared
from server.applications.loading import load
from server.applications.models import Application, ApplicationTax
from server.applications.ports import Assessment, Declaration, Needs, TaxLine, Taxpayer
from server.applications.records import ApplicationRecord
from server.applications.rules import BUYER_ROLE, OWNER_ROLE
from server.applications.service.decide import move_track
from server.applications.service.rows import lock, recorded, save, step
from server.applications.states import TrackState
from server.terms.codes import HouseUsage


async def declare_taxes(needs: Needs, *, application_id: str) -> None:
    """Declare the sale with the bureau and keep its assessment; repeating it declares nothing twice.

    Does nothing for a business without a tax track. OutsideError when the bureau refuses or is down.
    """
    row = await Application.filter(id=application_id).first()
    if row is None:
        raise Permanent("no such application")
    record = await load(needs.cipher, row)
    if not record.requirements.has_track("tax") or record.tax_declaration_no is not None:
        return
    assessment = await needs.taxes.declare(declaration_of(record))
    await record_assessment(needs, application_id=application_id, assessment=assessment)


def declaration_of(record: ApplicationRecord) -> Declaration:
    """The sale in the bureau's terms; the application's own id is the number of its declaration."""
    unit = record.unit

    def side(role: str) -> list[Taxpayer]:
        return [Taxpayer(party.name, party.id_number) for party in record.parties if party.role == role]

    return Declaration(
        declaration_no=record.id,
        case_number=record.case_number or "",
        unit_code=unit.unit_code,
        area_centiare=unit.area_centiare or 0,
        price_fen=record.price_fen,
        held_since=unit.held_since,
        sole_home_over_five_years=record.sole_home_over_five_years,
        usage=HouseUsage(unit.usage).national,
        sellers=side(OWNER_ROLE),
        buyers=side(BUYER_ROLE),
    )


@transactional
async def record_assessment(needs: Needs, *, application_id: str, assessment: Assessment) -> None:
    """Keep what the bureau assessed; a second assessment under the same number changes nothing."""
    row = await lock(application_id)
    if row.tax_declaration_no == assessment.declaration_no:
        return
    row.tax_declaration_no = assessment.declaration_no
    await save(needs, row, "tax_declaration_no")
    await _replace(row, assessment.taxes)
    note = f"各项税款合计 {yuan(sum(line.amount_fen for line in assessment.taxes))} 元"
    at = assessment.accepted_at
    message_id = f"tax_assessed:{assessment.declaration_no}"
    await step(row, code="tax_assessed", name="税务部门已核税", at=at, message_id=message_id[:64], note=note)


async def _replace(row: Application, taxes: Sequence[TaxLine]) -> None:
    await ApplicationTax.filter(application_id=row.id).delete()
    await ApplicationTax.bulk_create(
        [
            ApplicationTax(
                id=new_id(), application_id=row.id, tax=line.tax, payer=line.payer, amount_fen=line.amount_fen
            )
            for line in taxes
        ]
    )


@transactional
async def record_tax_cleared(
    needs: Needs,
    *,
    application_id: str,
    declaration_no: str,
    certificate_no: str,
    cleared_at: datetime,
    taxes: Sequence[TaxLine] = (),
) -> None:
    """Everything declared is paid or exempt: the track is done and the registry is to hear of it. Recorded once.

    `taxes`, where the bureau repeats them, replace the assessment: what was collected counts.
    """
    row = await lock(application_id)
    message_id = f"tax_cleared:{declaration_no}"[:64]
    if await recorded(row.id, message_id):
        return
    row.tax_declaration_no, row.tax_certificate_no, row.tax_cleared_at = declaration_no, certificate_no, cleared_at
    await save(needs, row, "tax_declaration_no", "tax_certificate_no", "tax_cleared_at")
    if taxes:
        await _replace(row, taxes)
    await move_track(row, "tax", TrackState.DONE, at=cleared_at)
    await step(row, code="tax", name="税款已办清", at=cleared_at, message_id=message_id)
    await needs.outbox.publish(TaxCleared(row.id))


async def record_tax_notice(needs: Needs, *, inbox_id: str) -> None:
    """Work on a verified notice kept in the inbox; Permanent when it is about no declaration of ours."""
    notice = needs.taxes.read_notice(await open_body(needs.cipher, inbox_id=inbox_id))
    # The number is the application's own id: the notice may overtake our keeping of the assessment.
    row = await Application.filter(id=notice.declaration_no).first()
    if row is None or row.case_number is None:
        raise Permanent("the tax notice is about an unknown declaration")
    await record_tax_cleared(
        needs,
        application_id=row.id,
        declaration_no=notice.declaration_no,
        certificate_no=notice.certificate_no,
        cleared_at=notice.cleared_at,
        taxes=notice.taxes,
    )
