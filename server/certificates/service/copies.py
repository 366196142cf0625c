import hashlib
from collections.abc import AsyncIterator
from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit.db import transactional
from kit.ids import new_id
from server.certificates import rules
from server.certificates.credential import BadCredential, decode_base32, verify
from server.certificates.errors import CopyNotHereYet, CopyRefusedError
from server.certificates.events import CopyKept
from server.certificates.models import CertificateCopy, CertificateCopyHolder
from server.certificates.ports import Needs
from server.certificates.request import HolderValues, ReceivedCertificate
from server.certificates.service.issue import MAX_PDF_BYTES
from server.terms.id_document import ID_NUMBER_INDEX

LOCATION = "certificates_copy.location_sealed"
NAME, NUMBER = "certificates_copy_holder.name_sealed", "certificates_copy_holder.id_number_sealed"


async def keep_copy(needs: Needs, *, received: ReceivedCertificate) -> None:
    """Keep a certificate that the registry sent, once; raises CopyRefusedError when file or credential do not fit."""
    if await CertificateCopy.exists(id=received.certificate_id):
        return
    _check(needs, received)
    scope = rules.copy_file_scope(received.certificate_id)
    await needs.files.put(scope=scope, chunks=_once(received.pdf), limit=MAX_PDF_BYTES)
    try:
        await _keep(needs, received)
    except IntegrityError as error:
        # Kept by another worker meanwhile; another certificate under the same number is refused for good.
        if not await CertificateCopy.exists(id=received.certificate_id):
            raise CopyRefusedError("another certificate has this number") from error


def _check(needs: Needs, received: ReceivedCertificate) -> None:
    if hashlib.sha256(received.pdf).hexdigest() != received.pdf_digest:
        raise CopyRefusedError("the file is not the one the message names")
    try:
        claims = verify(decode_base32(received.credential), keys=needs.credential_keys)
    except BadCredential as error:
        raise CopyRefusedError(f"the credential is {error.flaw}") from error
    fits = rules.claims_match(
        claims,
        certificate_id=received.certificate_id,
        number=received.number,
        unit_code=received.unit_code,
    )
    if not fits:
        raise CopyRefusedError("the credential is another certificate's")


@transactional
async def _keep(needs: Needs, received: ReceivedCertificate) -> None:
    now = needs.clock.now()
    await CertificateCopy.create(
        id=received.certificate_id,
        application_id=received.application_id,
        number=received.number,
        kind=received.kind,
        state=received.state,
        district=received.district,
        unit_code=received.unit_code,
        location_sealed=needs.cipher.seal(received.location, (LOCATION, received.certificate_id)),
        co_ownership=received.co_ownership,
        paper_state=received.paper_state,
        registered_on=received.registered_on,
        credential=received.credential,
        pdf_digest=received.pdf_digest,
        pdf_size=len(received.pdf),
        created_at=now,
        updated_at=now,
    )
    for position, holder in enumerate(received.holders, start=1):
        await _keep_holder(needs, received.certificate_id, position, holder)
    await needs.outbox.publish(CopyKept(received.certificate_id, received.application_id))


async def _keep_holder(needs: Needs, copy_id: str, position: int, holder: HolderValues) -> None:
    holder_id = new_id()
    await CertificateCopyHolder.create(
        id=holder_id,
        copy_id=copy_id,
        position=position,
        name_sealed=needs.cipher.seal(holder.name, (NAME, holder_id)),
        id_kind=holder.id_kind,
        id_number_sealed=needs.cipher.seal(holder.id_number, (NUMBER, holder_id)),
        id_number_blind=needs.cipher.blind(holder.id_number, purpose=ID_NUMBER_INDEX),
        share_numerator=holder.share_numerator,
        share_denominator=holder.share_denominator,
    )


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


@transactional
async def change_status(
    needs: Needs,
    *,
    certificate_id: str,
    state: str,
    changed_at: datetime,
    superseded_by: str | None,
    paper_state: str,
) -> str:
    """Record what became of a certificate, and answer its application; older news than ours changes nothing.

    Raises CopyNotHereYet.
    """
    row = await CertificateCopy.filter(id=certificate_id).select_for_update().get_or_none()
    if row is None:
        raise CopyNotHereYet(certificate_id)
    if not rules.is_later(changed_at, row.changed_at):
        return row.application_id
    row.state, row.paper_state, row.superseded_by = state, paper_state, superseded_by
    row.changed_at, row.updated_at = changed_at, needs.clock.now()
    row.version += 1
    await row.save()
    return row.application_id
