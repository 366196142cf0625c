"""A proven identity becomes the resident's; private to settling a check, in its transaction."""

from datetime import datetime

from kit.audit.service import Actor, record
from server.identity import sealed
from server.identity.events import RealNameVerified, WalletJoined
from server.identity.models import FaceCheck, Resident, ResidentSession, WalletAccount
from server.identity.ports import FaceSubject, Needs
from server.identity.rules import Binding, FaceFailure, Level, binding
from server.terms.codes import IdKind
from server.terms.id_document import ID_NUMBER_INDEX


async def bind_identity(needs: Needs, *, check: FaceCheck, subject: FaceSubject) -> FaceFailure | None:
    """Give the identity to the check's resident, or the wallet account to the resident who has it already."""
    now = needs.clock.now()
    blind = needs.cipher.blind(subject.id_number, purpose=ID_NUMBER_INDEX)
    account = await WalletAccount.filter(id=check.account_id).select_for_update().get()
    # Locked: two checks of one resident, opened before either was settled, may both be settled now.
    resident = await Resident.filter(id=check.resident_id).select_for_update().get()
    holder = await Resident.filter(id_number_blind=blind).select_for_update().get_or_none()
    decision = binding(
        resident_id=resident.id,
        bound=resident.id_number_blind,
        proven=blind,
        holder_id=holder.id if holder else None,
        holder_uses_wallet=holder is not None and await _uses(holder, account),
    )
    if decision is Binding.FIXED:
        return FaceFailure.IDENTITY_FIXED
    if decision is Binding.REFUSE:
        return FaceFailure.ALREADY_BOUND
    if decision is Binding.MERGE and holder is not None:
        brought_phone = await _merge(needs, account=account, left=resident, holder=holder, now=now)
        await _verified(needs, resident_id=holder.id, check=check, now=now)
        await needs.outbox.publish(WalletJoined(holder.id, account.wallet, check.id, brought_phone))
        return None
    await _bind(needs, resident=resident, subject=subject, blind=blind, now=now)
    await _verified(needs, resident_id=resident.id, check=check, now=now)
    return None


async def _uses(holder: Resident, account: WalletAccount) -> bool:
    return await WalletAccount.filter(resident_id=holder.id, wallet=account.wallet, app_id=account.app_id).exists()


async def _bind(needs: Needs, *, resident: Resident, subject: FaceSubject, blind: str, now: datetime) -> None:
    resident.name_sealed = needs.cipher.seal(subject.name, sealed.resident("name_sealed", resident.id))
    resident.id_kind = IdKind.RESIDENT_ID
    resident.id_number_sealed = needs.cipher.seal(subject.id_number, sealed.resident("id_number_sealed", resident.id))
    resident.id_number_blind = blind
    resident.level = Level.REAL_NAME
    resident.verified_at = now
    resident.version += 1
    resident.updated_at = now
    await resident.save()


async def _merge(needs: Needs, *, account: WalletAccount, left: Resident, holder: Resident, now: datetime) -> bool:
    """Move over what the account's resident has: sessions and a phone, but no act yet, as each needs the real name.

    True when the phone number came along.
    """
    brings_phone = left.phone_sealed is not None and holder.phone_sealed is None
    if left.phone_sealed is not None and brings_phone:
        phone = needs.cipher.open(left.phone_sealed, sealed.resident("phone_sealed", left.id))
        holder.phone_sealed = needs.cipher.seal(phone, sealed.resident("phone_sealed", holder.id))
        holder.phone_blind, holder.updated_at = left.phone_blind, now
        holder.version += 1
        await holder.save(update_fields=["phone_sealed", "phone_blind", "version", "updated_at"])
    await Resident.filter(id=left.id).update(merged_into=holder.id, updated_at=now)
    await ResidentSession.filter(account_id=account.id).update(resident_id=holder.id)
    await WalletAccount.filter(id=account.id).update(resident_id=holder.id)
    return brings_phone


async def _verified(needs: Needs, *, resident_id: str, check: FaceCheck, now: datetime) -> None:
    await record(
        actor=Actor("resident", resident_id),
        action="identity.real_name_verified",
        subject=("resident", resident_id),
        details={"face_check": check.id, "opened_by": check.resident_id},
        at=now,
    )
    await needs.outbox.publish(RealNameVerified(resident_id=resident_id))
