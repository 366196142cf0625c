import asyncio
from dataclasses import dataclass
from datetime import date, datetime

from server.certificates import rules
from server.certificates.claims import CredentialClaims
from server.certificates.credential import BadCredential, decode_base32
from server.certificates.credential import verify as verify_credential
from server.certificates.errors import CertificateNotFound, NotMadeYet
from server.certificates.models import CertificateCopy, CertificateIssued
from server.certificates.ports import Needs
from server.certificates.qr import LinkError, qr_png, read_link
from server.certificates.request import HolderValues, holders_from
from server.certificates.service.copies import LOCATION as COPY_LOCATION
from server.certificates.service.issue import HOLDERS, MAX_PDF_BYTES
from server.certificates.service.issue import LOCATION as ISSUED_LOCATION
from server.certificates.states import UNKNOWN, PaperState
from server.terms.unit_code import UnitCode


@dataclass(frozen=True, slots=True)
class CopyRecord:
    """A holder's certificate on the platform; `link` is what its QR code holds."""

    id: str
    application_id: str
    number: str
    kind: str
    state: str
    paper_state: str
    district: str
    unit_code: str
    location: str
    co_ownership: str
    registered_on: date
    link: str
    pdf_digest: str
    pdf_size: int


async def for_holder(needs: Needs, *, blind: str, before: str | None = None, limit: int = 20) -> list[CopyRecord]:
    """The certificates held under this ID number, newest first; `before` is the last id of the page before."""
    found = CertificateCopy.filter(holders__id_number_blind=blind)
    if before is not None:
        found = found.filter(id__lt=before)
    return [_record(needs, row) for row in await found.distinct().order_by("-id").limit(limit)]


async def copy_by_id(needs: Needs, *, certificate_id: str, blind: str) -> CopyRecord:
    """One certificate of this holder; CERTIFICATE_NOT_FOUND also for somebody else's."""
    row = await CertificateCopy.filter(id=certificate_id, holders__id_number_blind=blind).first()
    if row is None:
        raise CertificateNotFound
    return _record(needs, row)


def _record(needs: Needs, row: CertificateCopy) -> CopyRecord:
    return CopyRecord(
        id=row.id,
        application_id=row.application_id,
        number=row.number,
        kind=row.kind,
        state=row.state,
        paper_state=row.paper_state,
        district=row.district,
        unit_code=row.unit_code,
        location=needs.cipher.open(row.location_sealed, (COPY_LOCATION, row.id)),
        co_ownership=row.co_ownership,
        registered_on=row.registered_on,
        link=rules.link(needs.public_base_url, row.credential),
        pdf_digest=row.pdf_digest,
        pdf_size=row.pdf_size,
    )


@dataclass(frozen=True, slots=True)
class PaperStanding:
    """A certificate's state today, and the certificates it replaced whose papers are still outside."""

    number: str
    application_id: str
    state: str
    old_papers_outside: tuple[str, ...]


async def paper_standing(needs: Needs, *, certificate_id: str) -> PaperStanding:
    """For whoever is about to hand out a certificate's paper; CERTIFICATE_NOT_FOUND."""
    row = await CertificateCopy.get_or_none(id=certificate_id)
    if row is None:
        raise CertificateNotFound
    outside = PaperState.TO_BE_RETURNED.value
    olds = await CertificateCopy.filter(superseded_by=certificate_id, paper_state=outside).order_by("id")
    return PaperStanding(
        number=row.number,
        application_id=row.application_id,
        state=row.state,
        old_papers_outside=tuple(each.id for each in olds),
    )


async def copy_qr(record: CopyRecord) -> bytes:
    """The QR code as PNG."""
    return await asyncio.to_thread(qr_png, record.link)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a scanned code is worth; with `genuine` False nothing in it can be believed."""

    genuine: bool
    state: str
    number: str | None
    unit_code_masked: str | None
    issued_on: date | None
    checked_at: datetime


async def verify(needs: Needs, *, text: str) -> Verification:
    """Check a scanned link or bare code: the signature offline, then what the register says today."""
    now = needs.clock.now()
    claims = _claims(needs, text)
    if claims is None:
        return Verification(
            genuine=False, state=UNKNOWN, number=None, unit_code_masked=None, issued_on=None, checked_at=now
        )
    row = await CertificateCopy.get_or_none(id=claims.certificate_id, number=claims.number)
    return Verification(
        genuine=True,
        state=row.state if row is not None else UNKNOWN,
        number=claims.number,
        unit_code_masked=UnitCode(claims.unit_code).masked(),
        issued_on=claims.issued_on,
        checked_at=now,
    )


def _claims(needs: Needs, text: str) -> CredentialClaims | None:
    try:
        return verify_credential(decode_base32(read_link(text)), keys=needs.credential_keys)
    except (LinkError, BadCredential):
        return None


@dataclass(frozen=True, slots=True)
class IssuedRecord:
    """A certificate on the registry side, holders in clear: for the message to the platform."""

    id: str
    application_id: str
    number: str
    kind: str
    state: str
    paper_state: str
    unit_code: str
    district: str
    location: str
    co_ownership: str
    registered_on: date
    holders: tuple[HolderValues, ...]
    credential: str
    pdf_digest: str
    superseded_by: str | None
    changed_at: datetime | None


async def issued(needs: Needs, *, certificate_id: str) -> IssuedRecord:
    """A certificate that was made; NotMadeYet for one that has no more than its number."""
    row = await CertificateIssued.get(id=certificate_id)
    if row.credential is None or row.pdf_digest is None:
        raise NotMadeYet(certificate_id)
    return IssuedRecord(
        id=row.id,
        application_id=row.application_id,
        number=row.number,
        kind=row.kind,
        state=row.state,
        paper_state=row.paper_state,
        unit_code=row.unit_code,
        district=row.district,
        location=needs.cipher.open(row.location_sealed, (ISSUED_LOCATION, row.id)),
        co_ownership=row.co_ownership,
        registered_on=row.registered_on,
        holders=holders_from(needs.cipher.open_json(row.holders_sealed, (HOLDERS, row.id))),
        credential=row.credential,
        pdf_digest=row.pdf_digest,
        superseded_by=row.superseded_by,
        changed_at=row.changed_at,
    )


async def issued_pdf(needs: Needs, *, record: IssuedRecord) -> bytes:
    """The sealed file of a certificate on the registry side."""
    scope = rules.issued_file_scope(record.id)
    return await needs.files.read(scope=scope, digest=record.pdf_digest, limit=MAX_PDF_BYTES)


async def issued_number(needs: Needs, *, certificate_id: str) -> str:
    """A certificate's number, which it has before it is made."""
    return (await CertificateIssued.get(id=certificate_id)).number
