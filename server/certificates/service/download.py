from collections.abc import AsyncIterator

from kit.audit.service import Actor, record
from kit.db import transactional
from server.certificates import rules
from server.certificates.errors import CertificateNotFound
from server.certificates.models import CertificateCopy
from server.certificates.ports import Needs


async def open_copy(needs: Needs, *, certificate_id: str, blind: str, resident_id: str) -> AsyncIterator[bytes]:
    """The sealed PDF for its holder, block by block, leaving a trace; CERTIFICATE_NOT_FOUND for anybody else."""
    digest = await _trace(needs, certificate_id=certificate_id, blind=blind, resident_id=resident_id)
    return await needs.files.open(scope=rules.copy_file_scope(certificate_id), digest=digest)


@transactional
async def _trace(needs: Needs, *, certificate_id: str, blind: str, resident_id: str) -> str:
    row = await CertificateCopy.filter(id=certificate_id, holders__id_number_blind=blind).first()
    if row is None:
        raise CertificateNotFound
    await record(
        actor=Actor("resident", resident_id),
        action="certificate.downloaded",
        subject=("certificate", row.id),
        at=needs.clock.now(),
    )
    return row.pdf_digest
