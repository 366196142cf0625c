"""A channel that keeps what it sends, and counts consents as a wallet does; for tests and for trying things out."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from notifications.ports import ConsentRefused, Outgoing, Report
from notifications.rules import Agreement


class FakeChannel:
    """Sends what people agreed to; `agree` is the user's tap at the wallet."""

    def __init__(self, templates: Collection[str], *, standing: Collection[str] = ()) -> None:
        self._templates = frozenset(templates)
        self._standing = frozenset(standing)
        self._agreed: Counter[tuple[str, str]] = Counter()
        self._for_good: set[tuple[str, str]] = set()
        self.sent: list[Outgoing] = []

    def agree(self, address: str, template: str, times: int = 1) -> None:
        """The person at `address` taps "allow"."""
        if self.agreement(template) is Agreement.STANDING:
            self._for_good.add((address, template))
        else:
            self._agreed[address, template] += times

    def take_back(self, address: str, template: str) -> None:
        """The person turns the messages off in the wallet's own settings, where we are not told."""
        self._for_good.discard((address, template))
        self._agreed[address, template] = 0

    def template_id(self, template: str) -> str | None:
        return f"fake-{template}" if template in self._templates else None

    def agreement(self, template: str) -> Agreement:
        return Agreement.STANDING if template in self._standing else Agreement.ONCE

    async def send(self, message: Outgoing) -> str:
        wanted = (message.address, message.template)
        if wanted not in self._for_good:
            if self._agreed[wanted] == 0:
                raise ConsentRefused
            self._agreed[wanted] -= 1
        self.sent.append(message)
        return f"fake-{len(self.sent)}"


class FakeSms:
    """Text messages that need nobody's consent; `reports` says what became of which, by receipt."""

    def __init__(self, templates: Collection[str]) -> None:
        self._templates = frozenset(templates)
        self.sent: list[Outgoing] = []
        self.reports: dict[str, Report] = {}

    def template_id(self, template: str) -> str | None:
        return f"sms-{template}" if template in self._templates else None

    def agreement(self, template: str) -> Agreement:  # noqa: ARG002 - the same for all
        return Agreement.NONE

    async def send(self, message: Outgoing) -> str:
        self.sent.append(message)
        return f"sms-{len(self.sent)}"

    async def report(self, *, address: str, receipt: str, sent_at: datetime) -> Report | None:  # noqa: ARG002 - the port's form
        return self.reports.get(receipt)
