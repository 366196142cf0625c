from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.outbox import Outbox


@dataclass(frozen=True, slots=True)
class UpMessage:
    """What the registry is told; `id` is unique, `body` has the shape that its kind has on the wire."""

    id: str
    kind: str
    application_id: str
    sent_at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DownMessage:
    """What the registry told us; `application_id` is empty for a certificate issued without an application."""

    id: str
    kind: str
    application_id: str
    sent_at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Owner:
    """A registered owner; shares are both None where they own together without shares."""

    name: str
    id_kind: str
    id_number: str
    share_numerator: int | None
    share_denominator: int | None


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A unit and the right on it as the register shows them now; area in 0.01 m2, `version` the right's."""

    unit_code: str
    district: str
    location: str
    usage: str
    usage_text: str
    right_type: str
    area_centiare: int
    certificate_number: str
    co_ownership: str
    held_since: date
    version: int
    encumbered: bool
    owners: tuple[Owner, ...]


class CentralRegistry(Protocol):
    """The road up."""

    async def query_unit(self, *, unit_code: str, certificate_number: str) -> UnitRecord | None:
        """Ask the register now; None when the two do not belong together. Raises OutsideError."""
        ...

    async def put_material(self, *, application_id: str, scope: str, digest: str) -> None:
        """Bring one of the application's files over, from our file scope; again is harmless. Raises OutsideError."""
        ...

    async def send(self, message: UpMessage) -> None:
        """Deliver once or raise OutsideError; sending the same id again is harmless."""
        ...


class Codec(Protocol):
    """Reads what lies in the inbox."""

    def decode_down(self, raw: bytes) -> DownMessage:
        """Raises Permanent for bytes that are no message of a known version."""
        ...


@dataclass(frozen=True)
class Needs:
    """What the platform's end of the road works with."""

    clock: Clock
    outbox: Outbox
    cipher: Cipher
    registry: CentralRegistry
    codec: Codec
