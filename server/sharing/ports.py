from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from server.sharing.guard import SourceGuard
from server.sharing.rules import Result
from server.terms.evidence import Content, EvidenceKind


@dataclass(frozen=True, slots=True)
class Question:
    """About one person, for one purpose; `request_no` is ours, another one for each question."""

    request_no: str
    name: str
    id_number: str
    purpose: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`content` when found; `answer_no` is the department's, `digest` the SHA-256 of its raw signed answer."""

    result: Result
    answer_no: str
    answered_at: datetime
    content: Content | None
    digest: str


class IdentityVerification(Protocol):
    """Departments that say who somebody is and whom they live with (身份核验): public security."""

    async def household(self, question: Question) -> Answer:
        """Who is registered in the person's household; OutsideError when it cannot be asked or refuses."""
        ...


class InformationLookup(Protocol):
    """Departments whose records are looked up (信息查询): civil affairs."""

    async def marriage(self, question: Question) -> Answer:
        """The person's marriage; OutsideError when it cannot be asked or refuses."""
        ...


@dataclass(frozen=True, slots=True)
class Needs:
    """What sharing is built on; `guards` are made as sources are first asked and live as long as the process.

    Of the third class, coordination of business (业务协同), the tax bureau is a port of applications.
    """

    clock: Clock
    cipher: Cipher
    identity: IdentityVerification
    lookup: InformationLookup
    seconds: float = 3.0
    guards: dict[EvidenceKind, SourceGuard] = field(default_factory=dict)

    def guard(self, kind: EvidenceKind) -> SourceGuard:
        if kind not in self.guards:
            self.guards[kind] = SourceGuard(kind.value, self.clock, seconds=self.seconds)
        return self.guards[kind]
