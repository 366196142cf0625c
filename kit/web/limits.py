import ipaddress
import math
import time
from functools import lru_cache

from limits import RateLimitItem
from limits import parse as _parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter

from kit.web.errors import TooManyRequests


@lru_cache(maxsize=256)
def parse(rate: str, factor: int = 1) -> RateLimitItem:
    """`rate` such as "10/minute", `factor` times as many; ValueError when it is not one."""
    item = _parse(rate)
    return type(item)(item.amount * factor, item.multiples)


def caller_at(address: str) -> str:
    """Who is counted for an address: an IPv6 subscriber has a whole /64 of them, and is one caller."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    mapped = found.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((found, 64), strict=False))


class RateLimits:
    """How often one caller may call one route; `factor` raises every limit, for races and benches."""

    def __init__(self, *, factor: int = 1, storage: Storage | None = None) -> None:
        self._limiter = MovingWindowRateLimiter(storage or MemoryStorage())
        self._factor = factor

    async def check(self, rate: str, *, route: str, caller: str) -> None:
        """Count one call against `rate` such as "10/minute"; TOO_MANY_REQUESTS with Retry-After when used up."""
        item = parse(rate, self._factor)
        if await self._limiter.hit(item, route, caller):
            return
        window = await self._limiter.get_window_stats(item, route, caller)
        raise TooManyRequests(retry_after=max(1, math.ceil(window.reset_time - time.time())))
