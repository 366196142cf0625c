from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.files.store import FileStore
from kit.outbox import Outbox
from server.registry.rules import Blocker
from server.terms.messages import DownMessage, UpMessage

Gate = Literal["entry", "certificate"]
Decision = Literal["acceptance", "correction", "refusal", "review"]


class Platform(Protocol):
    """The road down."""

    async def send(self, message: DownMessage) -> None:
        """Deliver once or raise OutsideError; sending the same id again is harmless."""
        ...


class Codec(Protocol):
    """Reads what lies in the inbox."""

    def decode_up(self, raw: bytes) -> UpMessage:
        """Raises Permanent for bytes that are no message of a known version."""
        ...


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """Something that runs beside the others once a case is accepted."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """A ready opinion for a decision that officers take; `result` tells the two outcomes of a review apart."""

    code: str
    decision: Decision
    result: Literal["passed", "rejected"] | None
    text: str


class Procedure(Protocol):
    """How one business is carried out under the version its case was filed under."""

    @property
    def name(self) -> str: ...
    @property
    def entry_kind(self) -> str: ...
    @property
    def rec_type(self) -> str: ...
    @property
    def tracks(self) -> Sequence[TrackPlan]: ...

    def material_name(self, code: str) -> str:
        """The material as officers call it; the code itself when this version does not list it."""
        ...

    def blockers(self, states: Mapping[str, str], *, gate: Gate) -> Sequence[Blocker]:
        """The tracks that hold the case up at this gate, in the configured order."""
        ...

    def opinions(self, step: Literal["acceptance", "review"]) -> Sequence[Opinion]:
        """What officers may start their opinion from at this step."""
        ...

    def unexpected(self, answers: Mapping[str, str]) -> Collection[str]:
        """The codes of the inquiry questions whose answer an officer must look at."""
        ...

    def promised_on(self, accepted_on: date) -> date:
        """The last day of the promised time limit."""
        ...

    def refused_by(self, existing_kind: str, *, registered: bool) -> str | None:
        """Why an entry of `existing_kind`, running or registered, keeps this one out; None when it does not."""
        ...


class Procedures(Protocol):
    async def of(self, *, business_type: str, district: str, version: int) -> Procedure:
        """Reads the database only, so it may be called inside a transaction."""
        ...


@dataclass(frozen=True)
class Needs:
    """What the registry's desk works with."""

    clock: Clock
    outbox: Outbox
    cipher: Cipher
    files: FileStore
    platform: Platform
    codec: Codec
    procedures: Procedures
