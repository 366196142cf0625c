from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in ids and plain codes; never personal data, since it lies in clear in the outbox."""

    name: ClassVar[str]
    version: ClassVar[int] = 1

    @property
    def ordering_key(self) -> str:
        """Events of one handler with the same key are handled one after the other, in the order published."""
        raise TypeError(f"{type(self).__name__} must say its ordering key")

    def payload(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Handler:
    """Who listens to an event: `name` is stable, since it is written into rows; `run(house, event)` is idempotent."""

    name: str
    event: type[Event]
    run: Callable[[Any, Any], Awaitable[None]]
