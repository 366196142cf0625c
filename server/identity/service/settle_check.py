from dataclasses import dataclass, field

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from server.identity import sealed
from server.identity.errors import FaceCheckExpired, FaceCheckNotFound, IdentityAlreadyBound, IdentityFixed
from server.identity.models import FaceCheck
from server.identity.ports import FaceOutcome, FaceResult, FaceSubject, Needs
from server.identity.rules import FaceAction, FaceFailure, FaceState
from server.identity.service.binding import bind_identity

_FINAL = frozenset({FaceState.PASSED, FaceState.FAILED})
_TOLD = {FaceFailure.ALREADY_BOUND: IdentityAlreadyBound, FaceFailure.IDENTITY_FIXED: IdentityFixed}


@dataclass(frozen=True, slots=True)
class _Open:
    wallet: str
    number: str
    verify_id: str = field(repr=False)
    subject: FaceSubject


async def settle_face_check(needs: Needs, *, resident_id: str, check_id: str, key: RequestKey | None = None) -> str:
    """Ask the wallet how the check ended and keep its final answer, once; answers the check's id.

    While the wallet has decided nothing the check stays open. A passed `real_name` check binds the identity and raises
    the level; one person is one resident, see `rules.binding`.

    Errors: FACE_CHECK_NOT_FOUND, FACE_CHECK_EXPIRED, IDENTITY_ALREADY_BOUND, IDENTITY_FIXED, OutsideError (the
    check stays open).
    """
    check = await _of(resident_id=resident_id, check_id=check_id)
    if check.state not in _FINAL:
        asked = _still_open(needs, check)
        face = needs.wallets[asked.wallet].face
        outcome = await face.outcome(number=asked.number, verify_id=asked.verify_id, subject=asked.subject)
        if outcome.result is not FaceResult.PENDING:
            check = await _settled(needs, check_id=check_id, subject=asked.subject, outcome=outcome, key=key)
    if check.failure in _TOLD:
        raise _TOLD[FaceFailure(check.failure)]
    return check_id


async def _of(*, resident_id: str, check_id: str) -> FaceCheck:
    """The check of whoever opened it, or of whom its wallet account belongs to since it was passed."""
    check = await FaceCheck.get_or_none(id=check_id).select_related("account")
    if check is None or check.state == FaceState.OPENING:
        raise FaceCheckNotFound
    if resident_id not in {check.resident_id, check.account.resident_id}:
        raise FaceCheckNotFound
    return check


def _still_open(needs: Needs, check: FaceCheck) -> _Open:
    if needs.clock.now() >= check.expires_at:
        raise FaceCheckExpired
    verify_id = needs.cipher.open(check.verify_id_sealed or "", sealed.face_check("verify_id_sealed", check.id))
    subject = needs.cipher.open_json(check.subject_sealed or "", sealed.face_check("subject_sealed", check.id))
    return _Open(check.account.wallet, check.number, verify_id, FaceSubject(**subject))


async def _settled(
    needs: Needs, *, check_id: str, subject: FaceSubject, outcome: FaceOutcome, key: RequestKey | None
) -> FaceCheck:
    try:
        return await _settle(needs, check_id=check_id, subject=subject, outcome=outcome, key=key)
    except IntegrityError:
        # Two wallets proved the same identity at once and the other was faster: now there is a holder to find.
        return await _settle(needs, check_id=check_id, subject=subject, outcome=outcome, key=key)


@transactional
async def _settle(
    needs: Needs, *, check_id: str, subject: FaceSubject, outcome: FaceOutcome, key: RequestKey | None
) -> FaceCheck:
    check = await FaceCheck.filter(id=check_id).select_for_update().get()
    if check.state not in _FINAL:
        await _conclude(needs, check=check, subject=subject, outcome=outcome)
    if key is not None and check.failure not in _TOLD:
        await key.settle(result_id=check_id, status=200)
    return check


async def _conclude(needs: Needs, *, check: FaceCheck, subject: FaceSubject, outcome: FaceOutcome) -> None:
    now = needs.clock.now()
    failure = None
    if outcome.result is not FaceResult.PASSED:
        failure = outcome.failure or FaceFailure.OTHER
    elif check.action == FaceAction.REAL_NAME:
        failure = await bind_identity(needs, check=check, subject=subject)
        if failure is None:
            check.consumed_by, check.consumed_at = f"identity:{check.resident_id}", now
    check.state = FaceState.PASSED if failure is None else FaceState.FAILED
    check.failure = failure
    check.outside_code = outcome.code[:32]
    check.settled_at = now
    check.subject_sealed = None  # kept no longer than the comparison needs
    await check.save(
        update_fields=["state", "failure", "outside_code", "settled_at", "subject_sealed", "consumed_by", "consumed_at"]
    )
    await record(
        actor=Actor("resident", check.resident_id),
        action="identity.face_check_settled",
        subject=("face_check", check.id),
        result=check.state,
        details={"action": str(check.action), "outside_code": check.outside_code, "failure": failure},
        at=now,
    )
