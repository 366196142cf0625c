from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from server.identity import queries, sealed
from server.identity.errors import PhoneNotMainland, WalletMissing
from server.identity.models import Resident
from server.identity.ports import Needs, PhoneProof
from server.identity.rules import Level
from server.terms.errors import TermError
from server.terms.phone import Phone


async def bind_phone(
    needs: Needs,
    *,
    resident_id: str,
    wallet: str,
    code: str = "",
    response: str = "",
    sign: str = "",
    key: RequestKey | None = None,
) -> str:
    """Redeem what the phone button of `wallet` gave, and keep the number; answers the resident's id.

    WeChat's gives a `code` that is good once; Alipay's a sealed `response` with its `sign`, which names no person.

    Errors: PHONE_CODE_REJECTED, PHONE_NOT_MAINLAND, WALLET_MISSING, OutsideError.
    """
    openid = await queries.wallet_address(needs, resident_id=resident_id, wallet=wallet)
    if openid is None:
        raise WalletMissing
    proof = PhoneProof(code=code, response=response, sign=sign)
    try:
        phone = Phone.parse(await needs.wallets[wallet].phones.number(proof, openid))
    except TermError as error:
        raise PhoneNotMainland(error.sentence) from None
    await _bind(needs, resident_id=resident_id, phone=phone, key=key)
    return resident_id


@transactional
async def _bind(needs: Needs, *, resident_id: str, phone: Phone, key: RequestKey | None) -> None:
    now = needs.clock.now()
    resident = await Resident.filter(id=resident_id).select_for_update().get()
    resident.phone_sealed = needs.cipher.seal(phone.number, sealed.resident("phone_sealed", resident.id))
    resident.phone_blind = needs.cipher.blind(phone.number, purpose=sealed.PHONE)
    resident.level = max(resident.level, Level.PHONE)
    resident.version += 1
    resident.updated_at = now
    await resident.save(update_fields=["phone_sealed", "phone_blind", "level", "version", "updated_at"])
    actor = Actor("resident", resident_id)
    await record(actor=actor, action="identity.phone_bound", subject=("resident", resident_id), at=now)
    if key is not None:
        await key.settle(result_id=resident_id, status=200)
