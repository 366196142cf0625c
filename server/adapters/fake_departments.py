"""The departments in memory: what they know of people is put in by hand; for tests and trials without a hub."""

import hashlib
from dataclasses import dataclass, field

from kit.clock import Clock
from server.sharing.ports import Answer, Question
from server.sharing.rules import Result
from server.terms.evidence import Content, Household, Marriage


@dataclass
class FakeDepartments:
    """Implements both ports of sharing; `asked` remembers every question.

    Keys are ID numbers, values the name the department has on file and what it knows.
    """

    clock: Clock
    marriages: dict[str, tuple[str, Marriage]] = field(default_factory=dict)
    households: dict[str, tuple[str, Household]] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def check_config(self) -> list[str]:
        return []

    async def marriage(self, question: Question) -> Answer:
        return self._answer(question, self.marriages.get(question.id_number))

    async def household(self, question: Question) -> Answer:
        return self._answer(question, self.households.get(question.id_number))

    def _answer(self, question: Question, known: tuple[str, Content] | None) -> Answer:
        self.asked.append(question)
        if known is None:
            return self._said(question, Result.NOT_FOUND, None)
        name, content = known
        if name != question.name:
            return self._said(question, Result.MISMATCH, None)
        return self._said(question, Result.FOUND, content)

    def _said(self, question: Question, result: Result, content: Content | None) -> Answer:
        number = f"FAKE-{len(self.asked):08d}"
        digest = hashlib.sha256(f"{number}:{question.request_no}".encode()).hexdigest()
        return Answer(result, number, self.clock.now(), content, digest)
