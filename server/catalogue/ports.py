from dataclasses import dataclass, field

from kit.clock import Clock
from server.catalogue.cache import ContentCache


@dataclass(frozen=True, slots=True)
class Needs:
    """What the catalogue is built on; the cache belongs to the process that made it."""

    clock: Clock
    cache: ContentCache = field(default_factory=ContentCache)
