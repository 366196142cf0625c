import math
import time

from limits import parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter

from kit.web.errors import TooManyRequests


class RateLimits:
    """How often one caller may call one route; `factor` raises every limit, for races and benches."""

    def __init__(self, *, factor: int = 1, storage: Storage | None = None) -> None:
        self._limiter = MovingWindowRateLimiter(storage or MemoryStorage())
        self._factor = factor

    async def check(self, rate: str, *, route: str, caller: str) -> None:
        """Count one call against `rate` such as "10/minute"; TOO_MANY_REQUESTS with Retry-After when used up."""
        item = parse(rate)
        item = type(item)(item.amount * self._factor, item.multiples)
        if await self._limiter.hit(item, route, caller):
            return
        window = await self._limiter.get_window_stats(item, route, caller)
        raise TooManyRequests(retry_after=max(1, math.ceil(window.reset_time - time.time())))
