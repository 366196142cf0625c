"""A channel that keeps what it sends, and counts consents as a wallet does; for tests and for trying things out."""

from collections import Counter
from collections.abc import Collection

from notifications.ports import ConsentRefused, Outgoing


class FakeChannel:
    """Sends what people agreed to; `agree` is the user's tap at the wallet."""

    def __init__(self, templates: Collection[str]) -> None:
        self._templates = frozenset(templates)
        self._agreed: Counter[tuple[str, str]] = Counter()
        self.sent: list[Outgoing] = []

    def agree(self, address: str, template: str, times: int = 1) -> None:
        """The person at `address` taps "allow"."""
        self._agreed[address, template] += times

    def template_id(self, template: str) -> str | None:
        return f"fake-{template}" if template in self._templates else None

    async def send(self, message: Outgoing) -> str:
        wanted = (message.address, message.template)
        if self._agreed[wanted] == 0:
            raise ConsentRefused
        self._agreed[wanted] -= 1
        self.sent.append(message)
        return f"fake-{len(self.sent)}"
