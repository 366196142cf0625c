from dataclasses import dataclass
from typing import Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.outbox import Outbox
from server.terms.messages import DownMessage, UpMessage
from server.terms.unit_record import UnitRecord


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
