import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit.db import transactional
from kit.ids import new_id
from kit.sequences.service import next_number
from server.certificates import rules
from server.certificates.claims import CredentialClaims
from server.certificates.credential import encode_base32
from server.certificates.errors import NumberTakenError
from server.certificates.events import Issued, StatusChanged
from server.certificates.face import CertificateFace
from server.certificates.models import CertificateIssued
from server.certificates.ports import Needs
from server.certificates.qr import qr_png
from server.certificates.rendering import render
from server.certificates.request import IssueRequest, face_of
from server.certificates.states import CertificateState, PaperState
from server.terms.certificate_number import CertificateNumber

HOLDERS, LOCATION = "certificates_issued.holders_sealed", "certificates_issued.location_sealed"
MAX_PDF_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Claim:
    """A certificate's identity, fixed before any of it is made."""

    id: str
    number: str
    made: bool


async def issue(needs: Needs, *, request: IssueRequest) -> str:
    """Make one certificate and answer its id; asked again, it goes on where it stopped and makes no second one.

    The number is claimed and what it supersedes ends in one transaction; rendering and sealing hold none; a second
    transaction keeps the result and publishes Issued. Raises NumberTakenError, OutsideError (timestamps), and what
    rendering raises.
    """
    claim = await _claimed(needs, request)
    if claim.made:
        return claim.id
    credential, pdf = await _make(needs, request, claim)
    stored = await needs.files.put(scope=rules.issued_file_scope(claim.id), chunks=_once(pdf), limit=MAX_PDF_BYTES)
    if not await _finish(needs, claim.id, credential=credential, digest=stored.digest, size=stored.size):
        # Another worker was faster: its file is the certificate, ours was never anybody's.
        await needs.files.delete(rules.issued_file_scope(claim.id), stored.digest)
    return claim.id


async def _claimed(needs: Needs, request: IssueRequest) -> _Claim:
    try:
        return await _claim(needs, request)
    except IntegrityError:
        pass
    # Either another worker claimed the same certificate meanwhile, or the number is somebody else's.
    try:
        return await _claim(needs, request)
    except IntegrityError as error:
        raise NumberTakenError("the certificate number is taken") from error


@transactional
async def _claim(needs: Needs, request: IssueRequest) -> _Claim:
    row = await CertificateIssued.get_or_none(case_id=request.case_id, position=request.position)
    if row is None:
        row = await _create(needs, request)
        for certificate_id in request.supersedes:
            await _supersede(needs, certificate_id, by=row.id, now=row.created_at)
    return _Claim(row.id, row.number, made=row.pdf_digest is not None)


async def _create(needs: Needs, request: IssueRequest) -> CertificateIssued:
    certificate_id, now = new_id(), needs.clock.now()
    holders = [asdict(holder) for holder in request.holders]
    given = str(CertificateNumber.parse(request.number)) if request.number else None
    return await CertificateIssued.create(
        id=certificate_id,
        case_id=request.case_id,
        position=request.position,
        application_id=request.application_id,
        right_id=request.right_id,
        number=given or await _next_number(needs, request),
        kind=request.kind,
        state=CertificateState.VALID,
        # A certificate that brings its number along was handed out on paper long ago.
        paper_state=PaperState.WITH_HOLDER if given else PaperState.NOT_PRINTED,
        district=request.district,
        unit_code=request.unit_code,
        location_sealed=needs.cipher.seal(request.location, (LOCATION, certificate_id)),
        co_ownership=request.co_ownership,
        registered_on=request.registered_on,
        holders_sealed=needs.cipher.seal_json(holders, (HOLDERS, certificate_id)),
        created_at=now,
        updated_at=now,
    )


async def _next_number(needs: Needs, request: IssueRequest) -> str:
    year = request.registered_on.year
    serial = await next_number(kind=str(request.kind), district=rules.city_of(request.district), period=str(year))
    return rules.certificate_number(
        province=needs.authority.province,
        place=needs.authority.place,
        year=year,
        kind=request.kind,
        serial=serial,
    )


async def _supersede(needs: Needs, certificate_id: str, *, by: str, now: datetime) -> None:
    """Ends another certificate; its paper, if there is one, is to come back."""
    old = await CertificateIssued.filter(id=certificate_id).select_for_update().get()
    if old.state != CertificateState.VALID:
        return
    old.state, old.superseded_by = CertificateState.SUPERSEDED, by
    if PaperState(old.paper_state).outside:
        old.paper_state = PaperState.TO_BE_RETURNED
    old.changed_at, old.updated_at = rules.next_change(old.changed_at, now), now
    old.version += 1
    await old.save()
    await needs.outbox.publish(StatusChanged(old.id, old.application_id))


async def _make(needs: Needs, request: IssueRequest, claim: _Claim) -> tuple[str, bytes]:
    claims = CredentialClaims(
        registry=needs.authority.code,
        certificate_id=claim.id,
        number=claim.number,
        unit_code=request.unit_code,
        issued_on=request.registered_on,
        kind=request.kind,
    )
    credential = encode_base32(await needs.seal.sign_credential(claims))
    face = face_of(request, number=claim.number, registry_name=needs.authority.name_for(request.district))
    pdf = await asyncio.to_thread(_render, needs, face, rules.link(needs.public_base_url, credential))
    return credential, await needs.seal.sign_pdf(pdf)


def _render(needs: Needs, face: CertificateFace, link: str) -> bytes:
    return render(face, qr_png=qr_png(link), fonts=needs.fonts)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


@transactional
async def _finish(needs: Needs, certificate_id: str, *, credential: str, digest: str, size: int) -> bool:
    row = await CertificateIssued.filter(id=certificate_id).select_for_update().get()
    if row.pdf_digest is not None:
        return False
    now = needs.clock.now()
    row.credential, row.pdf_digest, row.pdf_size = credential, digest, size
    row.issued_at, row.updated_at = now, now
    row.version += 1
    await row.save()
    await needs.outbox.publish(Issued(row.id, row.application_id))
    return True
