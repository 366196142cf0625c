import re
from dataclasses import asdict, dataclass
from datetime import datetime

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from server.identity import sealed
from server.identity.errors import FaceCheckNotFound, FaceDigestInvalid, WalletMissing, of_term
from server.identity.models import FaceCheck, Resident, WalletAccount
from server.identity.ports import FaceSubject, Needs, OpenedFace
from server.identity.rules import FACE_CHECK_LASTS, FaceAction, FaceState, Level, check_may_open
from server.terms.errors import TermError
from server.terms.id_document import ID_NUMBER_INDEX, IdDocument
from server.terms.person_name import PersonName

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be proven: a stated identity, or the resident's own over a digest."""

    action: FaceAction
    digest: str
    name: str | None = None
    id_number: str | None = None


@dataclass(frozen=True, slots=True)
class _Claimed:
    check_id: str
    number: str
    subject: FaceSubject


async def open_face_check(
    needs: Needs,
    *,
    resident_id: str,
    wallet: str,
    action: str,
    digest: str | None = None,
    name: str | None = None,
    id_number: str | None = None,
    key: RequestKey | None = None,
) -> str:
    """Open a check at `wallet`, the one the resident is here with, and answer its id; it lasts 15 minutes.

    `real_name` proves `name` and `id_number` (a resident identity card) and makes its digest of them;
    `confirm_application` proves the resident's own identity over `digest`. A repeat under the same key goes on with
    the same row, but under a new number at the wallet: whether the old one was used up there is unknown after a crash.

    Errors: NAME_INVALID, ID_NUMBER_INVALID, ID_BIRTH_DATE_INVALID, ID_CHECK_DIGIT_WRONG, FACE_DIGEST_INVALID,
    REAL_NAME_REQUIRED, IDENTITY_FIXED, WALLET_MISSING, OutsideError.
    """
    wanted = _wanted(needs, FaceAction(action), digest=digest, name=name, id_number=id_number)
    check_id = key.id if key else new_id()
    claimed = await _claim(needs, resident_id=resident_id, wallet=wallet, wanted=wanted, check_id=check_id)
    opened = await needs.wallets[wallet].face.open(number=claimed.number, subject=claimed.subject)
    await _opened(needs, claimed=claimed, resident_id=resident_id, face=opened, key=key)
    return claimed.check_id


def _wanted(
    needs: Needs, action: FaceAction, *, digest: str | None, name: str | None, id_number: str | None
) -> _Wanted:
    if action is FaceAction.CONFIRM_APPLICATION:
        if digest is None or not _DIGEST.fullmatch(digest):
            raise FaceDigestInvalid
        return _Wanted(action, digest)
    try:
        person = PersonName.parse(name or "").text
    except TermError as error:
        raise of_term(error, field="name") from None
    try:
        number = IdDocument.parse(id_number or "").number
    except TermError as error:
        raise of_term(error, field="id_number") from None
    return _Wanted(action, sealed.real_name_digest(needs.cipher, name=person, id_number=number), person, number)


@transactional
async def _claim(needs: Needs, *, resident_id: str, wallet: str, wanted: _Wanted, check_id: str) -> _Claimed:
    now = needs.clock.now()
    resident = await Resident.filter(id=resident_id).select_for_update().get()
    asked = wanted.id_number and needs.cipher.blind(wanted.id_number, purpose=ID_NUMBER_INDEX)
    check_may_open(wanted.action, level=Level(resident.level), bound=resident.id_number_blind, asked=asked)
    accounts = WalletAccount.filter(resident_id=resident_id, wallet=wallet)
    account = await accounts.order_by("-last_login_at").first()
    if account is None:
        raise WalletMissing
    subject = _subject(needs, wanted=wanted, resident=resident, account=account)
    number = await _row(needs, check_id=check_id, wanted=wanted, subject=subject, account=account, now=now)
    return _Claimed(check_id, number, subject)


def _subject(needs: Needs, *, wanted: _Wanted, resident: Resident, account: WalletAccount) -> FaceSubject:
    openid = needs.cipher.open(account.openid_sealed, sealed.account("openid_sealed", account.id))
    if wanted.name is not None and wanted.id_number is not None:
        return FaceSubject(openid, wanted.name, wanted.id_number)
    name = needs.cipher.open(resident.name_sealed, sealed.resident("name_sealed", resident.id))
    number = needs.cipher.open(resident.id_number_sealed, sealed.resident("id_number_sealed", resident.id))
    return FaceSubject(openid, name, number)


async def _row(
    needs: Needs, *, check_id: str, wanted: _Wanted, subject: FaceSubject, account: WalletAccount, now: datetime
) -> str:
    """Commit what is about to be asked; answers the number it is asked under."""
    known = await FaceCheck.filter(id=check_id, resident_id=account.resident_id).select_for_update().get_or_none()
    if known is not None:
        known.number, known.expires_at = new_id(), now + FACE_CHECK_LASTS
        await known.save(update_fields=["number", "expires_at"])
        return known.number
    await FaceCheck.create(
        id=check_id,
        resident_id=account.resident_id,
        account_id=account.id,
        action=wanted.action,
        digest=wanted.digest,
        state=FaceState.OPENING,
        number=check_id,
        subject_sealed=needs.cipher.seal_json(asdict(subject), sealed.face_check("subject_sealed", check_id)),
        expires_at=now + FACE_CHECK_LASTS,
        created_at=now,
    )
    return check_id


@transactional
async def _opened(
    needs: Needs, *, claimed: _Claimed, resident_id: str, face: OpenedFace, key: RequestKey | None
) -> None:
    now = needs.clock.now()
    page = face.url and needs.cipher.seal(face.url, sealed.face_check("verify_url_sealed", claimed.check_id))
    opened = await FaceCheck.filter(id=claimed.check_id, number=claimed.number, state=FaceState.OPENING).update(
        state=FaceState.OPENED,
        verify_id_sealed=needs.cipher.seal(face.verify_id, sealed.face_check("verify_id_sealed", claimed.check_id)),
        verify_url_sealed=page,
        expires_at=now + FACE_CHECK_LASTS,
    )
    if not opened:  # a repeat of this request was taken for dead and went on under another number
        raise FaceCheckNotFound
    actor = Actor("resident", resident_id)
    await record(actor=actor, action="identity.face_check_opened", subject=("face_check", claimed.check_id), at=now)
    if key is not None:
        await key.settle(result_id=claimed.check_id, status=201)
