import ipaddress
import math
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from functools import lru_cache

from limits import RateLimitItem
from limits import parse as _parse

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


Calls = OrderedDict[tuple[str, str], deque[float]]
"""When each caller called each route, the caller who has been quiet longest first."""


class RateLimits:
    """How often one caller may call one route; `factor` raises every limit, for races and benches.

    Counted here and not by the library's store: that one looks through all callers, in a thread, for as long as anybody
    calls. Here a call looks at its own caller, and at two others who may have been quiet for long enough.
    """

    def __init__(self, *, factor: int = 1, seconds: Callable[[], float] = time.monotonic) -> None:
        self._factor = factor
        self._seconds = seconds
        self._calls: defaultdict[str, Calls] = defaultdict(OrderedDict)

    async def check(self, rate: str, *, route: str, caller: str) -> None:
        """Count one call against `rate` such as "10/minute"; TOO_MANY_REQUESTS with Retry-After when used up."""
        item, now, calls = parse(rate, self._factor), self._seconds(), self._calls[rate]
        window = item.get_expiry()
        times = calls.setdefault((route, caller), deque())
        while times and times[0] <= now - window:
            times.popleft()
        if len(times) >= item.amount:
            raise TooManyRequests(retry_after=max(1, math.ceil(times[0] + window - now)))
        times.append(now)
        calls.move_to_end((route, caller))
        _forget_quiet(calls, now - window)

    @property
    def remembered(self) -> int:
        """How many callers are remembered."""
        return sum(map(len, self._calls.values()))


def _forget_quiet(calls: Calls, before: float) -> None:
    """Two for each call that is counted, so that they go faster than they come."""
    for _ in range(2):
        key, times = next(iter(calls.items()))
        if times[-1] > before:
            return
        del calls[key]
