from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kit import sessions
from kit.db import fetch, fetch_one
from kit.db.sql import as_utc
from kit.web.access import Principal
from server.identity import sealed
from server.identity.errors import FaceCheckNotFound, RealNameRequired
from server.identity.ports import Needs
from server.identity.rules import FaceFailure, FaceState, Level, state_text
from server.terms.codes import IdKind
from server.terms.id_document import IdDocument
from server.terms.person_name import PersonName
from server.terms.phone import Phone

# Measured by `login_session`.
_SESSION = """
SELECT s.id, s.resident_id, s.wallet, s.last_used_at, s.expires_at, r.level
FROM identity_session s JOIN identity_resident r ON r.id = s.resident_id
WHERE s.token_hash = ? AND s.ended_at IS NULL
"""


async def authenticate(needs: Needs, *, token: str) -> Principal | None:
    """Whose live session `token` is; a session ended elsewhere is gone within 5 seconds."""
    return await sessions.authenticate(
        token,
        sql=_SESSION,
        principal=_principal,
        live=needs.live,
        lifetime=needs.lifetime,
        now=needs.clock.now(),
        # A lower level is about to be raised, perhaps through another process: it is read each time.
        may_remember=lambda found: found.level >= Level.REAL_NAME,
    )


def _principal(row: dict[str, Any]) -> Principal:
    return Principal("resident", id=row["resident_id"], session_id=row["id"], level=row["level"], wallet=row["wallet"])


@dataclass(frozen=True, slots=True)
class Me:
    """A resident as the phone shows them: masked."""

    id: str
    level: Level
    name_masked: str | None
    id_number_masked: str | None
    phone_masked: str | None
    version: int


async def me(needs: Needs, *, resident_id: str) -> Me:
    row = await _resident(resident_id)
    name, number, phone = _opened(needs, row)
    return Me(
        id=row["id"],
        level=Level(row["level"]),
        name_masked=PersonName(name).masked() if name else None,
        id_number_masked=IdDocument(IdKind(row["id_kind"]), number).masked() if number else None,
        phone_masked=Phone(phone).masked() if phone else None,
        version=row["version"],
    )


@dataclass(frozen=True, slots=True)
class Person:
    """A resident under the verified name, in clear: for use inside, never for an answer or a log."""

    resident_id: str
    name: str = field(repr=False)
    id_kind: IdKind
    id_number: str = field(repr=False)
    phone: str | None = field(repr=False)
    id_number_blind: str = field(repr=False)


async def person(needs: Needs, *, resident_id: str) -> Person:
    """Raises REAL_NAME_REQUIRED below that level."""
    row = await _resident(resident_id)
    name, number, phone = _opened(needs, row)
    if name is None or number is None:
        raise RealNameRequired
    return Person(row["id"], name, IdKind(row["id_kind"]), number, phone, row["id_number_blind"])


async def residents_by_id_number(needs: Needs, *, blinds: Collection[str]) -> dict[str, str]:
    """Blind index -> resident id, for those of the given ID numbers that belong to verified residents."""
    if not blinds:
        return {}
    marks = ", ".join("?" for _ in blinds)
    rows = await fetch(
        f"SELECT id, id_number_blind FROM identity_resident WHERE id_number_blind IN ({marks})",  # noqa: S608 - marks
        sorted(blinds),
    )
    return {row["id_number_blind"]: row["id"] for row in rows}


async def wallet_address(needs: Needs, *, resident_id: str, wallet: str) -> str | None:
    """The openid to reach a resident by, or Alipay's number of them where it gave none; of the account used last."""
    row = await fetch_one(
        "SELECT id, openid_sealed FROM identity_wallet_account WHERE resident_id = ? AND wallet = ? "
        "ORDER BY last_login_at DESC LIMIT 1",
        [resident_id, wallet],
    )
    return needs.cipher.open(row["openid_sealed"], sealed.account("openid_sealed", row["id"])) if row else None


async def wallets_used(needs: Needs, *, resident_id: str) -> list[str]:
    """The wallets that the resident has an account in, the one used last first."""
    rows = await fetch(
        "SELECT wallet FROM identity_wallet_account WHERE resident_id = ? "
        "GROUP BY wallet ORDER BY MAX(last_login_at) DESC, wallet",
        [resident_id],
    )
    return [row["wallet"] for row in rows]


@dataclass(frozen=True, slots=True)
class FaceCheckView:
    """A check as its resident sees it; `verify_id`, for Alipay with `verify_url`, starts the wallet's camera."""

    id: str
    action: str
    state: FaceState
    state_text: str
    verify_id: str = field(repr=False)
    verify_url: str | None = field(repr=False)
    expires_at: datetime


async def face_check(needs: Needs, *, resident_id: str, check_id: str) -> FaceCheckView:
    """Raises FACE_CHECK_NOT_FOUND, also for a check of somebody else.

    A check that joined its wallet to another resident is both's: the one who opened it and the one who has it now.
    """
    row = await fetch_one(
        "SELECT c.id, c.action, c.state, c.failure, c.verify_id_sealed, c.verify_url_sealed, c.expires_at "
        "FROM identity_face_check c JOIN identity_wallet_account a ON a.id = c.account_id "
        "WHERE c.id = ? AND (c.resident_id = ? OR a.resident_id = ?) AND c.verify_id_sealed IS NOT NULL",
        [check_id, resident_id, resident_id],
    )
    if row is None:
        raise FaceCheckNotFound
    state = FaceState(row["state"])
    failure = FaceFailure(row["failure"]) if row["failure"] else None
    return FaceCheckView(
        id=row["id"],
        action=row["action"],
        state=state,
        state_text=state_text(state, failure),
        verify_id=needs.cipher.open(row["verify_id_sealed"], sealed.face_check("verify_id_sealed", row["id"])),
        verify_url=needs.cipher.open(row["verify_url_sealed"], sealed.face_check("verify_url_sealed", row["id"]))
        if row["verify_url_sealed"]
        else None,
        expires_at=as_utc(row["expires_at"]),
    )


async def check_settled_at(needs: Needs, *, check_id: str) -> datetime:
    """When the check came to its end; raises FACE_CHECK_NOT_FOUND, also for one that has not."""
    row = await fetch_one("SELECT settled_at FROM identity_face_check WHERE id = ?", [check_id])
    if row is None or row["settled_at"] is None:
        raise FaceCheckNotFound
    return as_utc(row["settled_at"])


async def _resident(resident_id: str) -> dict[str, Any]:
    row = await fetch_one(
        "SELECT id, level, name_sealed, id_kind, id_number_sealed, id_number_blind, phone_sealed, version "
        "FROM identity_resident WHERE id = ?",
        [resident_id],
    )
    if row is None:
        raise LookupError("no such resident")  # a session always has one
    return row


def _opened(needs: Needs, row: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Name, ID number and phone in clear."""
    name, number, phone = (
        needs.cipher.open(row[column], sealed.resident(column, row["id"])) if row[column] else None
        for column in ("name_sealed", "id_number_sealed", "phone_sealed")
    )
    return name, number, phone
