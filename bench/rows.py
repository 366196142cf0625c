"""Residents with a session each, and an application each with its steps; sealed as the service seals them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tortoise.models import Model

from kit.crypto.cipher import Cipher
from kit.ids import new_id
from kit.sessions import new_token, token_hash
from server.applications.models import Application, ApplicationParty, ApplicationStep
from server.applications.states import PartyState, State
from server.identity.models import Resident, ResidentSession, WalletAccount
from server.identity.rules import Level
from server.terms.codes import IdKind
from server.terms.id_document import ID_NUMBER_INDEX, citizen_check

STEPS = (
    ("submitted", "提交申请", "申请已提交，等待登记机构受理"),
    ("accepted", "受理", "登记机构已受理，受理编号见回执"),
    ("tax_opened", "税款核定", "税务机关正在核定税款"),
    ("tax_cleared", "完税", "税款已缴清"),
    ("fee_due", "登记费", "请缴纳不动产登记费"),
    ("fee_paid", "缴费", "登记费已到账"),
    ("reviewed", "审核", "审核通过"),
    ("entered", "登簿", "已记载于不动产登记簿"),
)
_DISTRICT = "320102"
_BATCH = 500
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Signed:
    """A resident with a live session."""

    token: str
    resident: Resident


async def sign_in(cipher: Cipher, *, count: int) -> list[Signed]:
    """So many residents under their real names, each with a session; the database must be open."""
    now = datetime.now(UTC)
    residents = [_resident(cipher, serial, now) for serial in range(count)]
    accounts = [_account(cipher, serial, resident.id, now) for serial, resident in enumerate(residents)]
    tokens = [new_token() for _ in residents]
    sessions = [_session(token, account, now) for token, account in zip(tokens, accounts, strict=True)]
    await _insert(residents)
    await _insert(accounts)
    await _insert(sessions)
    return [Signed(token, resident) for token, resident in zip(tokens, residents, strict=True)]


async def file_applications(cipher: Cipher, residents: Sequence[Resident]) -> list[str]:
    """An application of each resident with all its steps; their ids in the same order."""
    now = datetime.now(UTC)
    applications = [_application(resident.id, now) for resident in residents]
    pairs = list(zip(residents, applications, strict=True))
    await _insert(applications)
    await _insert([_party(cipher, serial, *pair, now) for serial, pair in enumerate(pairs)])
    await _insert([step for application in applications for step in _steps(application.id, now)])
    return [application.id for application in applications]


async def _insert(rows: Sequence[M]) -> None:
    await type(rows[0]).bulk_create(rows, batch_size=_BATCH)


def _id_number(serial: int) -> str:
    """Districts that do not exist, so that it is nobody's number."""
    body = f"99{serial // 1000:04d}19800101{serial % 1000:03d}"
    return body + citizen_check(body)


def _resident(cipher: Cipher, serial: int, now: datetime) -> Resident:
    row_id = new_id()
    return Resident(
        id=row_id,
        level=Level.REAL_NAME,
        name_sealed=cipher.seal(f"测试{serial}", ("identity_resident.name_sealed", row_id)),
        id_kind=IdKind.RESIDENT_ID,
        id_number_sealed=cipher.seal(_id_number(serial), ("identity_resident.id_number_sealed", row_id)),
        id_number_blind=cipher.blind(_id_number(serial), purpose=ID_NUMBER_INDEX),
        verified_at=now,
        version=1,
        created_at=now,
        updated_at=now,
    )


def _account(cipher: Cipher, serial: int, resident_id: str, now: datetime) -> WalletAccount:
    row_id = new_id()
    openid = f"oBench{serial:022d}"
    return WalletAccount(
        id=row_id,
        resident_id=resident_id,
        wallet="wechat",
        app_id="wxbench",
        openid_sealed=cipher.seal(openid, ("identity_wallet_account.openid_sealed", row_id)),
        openid_blind=cipher.blind(openid, purpose="openid"),
        last_login_at=now,
        created_at=now,
    )


def _session(token: str, account: WalletAccount, now: datetime) -> ResidentSession:
    return ResidentSession(
        id=new_id(),
        token_hash=token_hash(token),
        resident_id=account.resident_id,
        account_id=account.id,
        last_used_at=now,
        expires_at=now + timedelta(hours=12),
        created_at=now,
    )


def _application(resident_id: str, now: datetime) -> Application:
    return Application(
        id=new_id(),
        district=_DISTRICT,
        mode="remote",
        origin="mini_program",
        business_type="second_hand_sale",
        catalogue_version=1,
        requirements="{}",
        state=State.ENTERED,
        version=9,
        price_fen=180_000_000,
        opened_by=resident_id,
        submitted_at=now,
        accepted_at=now,
        entered_at=now,
        created_at=now,
        updated_at=now,
    )


def _party(
    cipher: Cipher, serial: int, resident: Resident, application: Application, now: datetime
) -> ApplicationParty:
    row_id = new_id()
    return ApplicationParty(
        id=row_id,
        application_id=application.id,
        position=0,
        kind="person",
        name_sealed=cipher.seal(f"测试{serial}", ("applications_party.name_sealed", row_id)),
        id_kind=IdKind.RESIDENT_ID,
        id_number_sealed=cipher.seal(_id_number(serial), ("applications_party.id_number_sealed", row_id)),
        id_number_blind=resident.id_number_blind,
        resident_id=resident.id,
        state=PartyState.CONFIRMED,
        created_at=now,
    )


def _steps(application_id: str, now: datetime) -> list[ApplicationStep]:
    return [
        ApplicationStep(
            id=new_id(),
            application_id=application_id,
            message_id=f"bench-{code}",
            code=code,
            name=name,
            note=note,
            happened_at=now - timedelta(hours=len(STEPS) - place),
        )
        for place, (code, name, note) in enumerate(STEPS)
    ]
