import pytest

from kit.web.errors import TooManyRequests
from kit.web.limits import RateLimits, caller_at


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::7", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("unknown", "unknown"),
    ],
)
def test_one_subscriber_is_one_caller(address: str, caller: str) -> None:
    assert caller_at(address) == caller


class Watch:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def _calls(limits: RateLimits, count: int, *, rate: str = "3/minute", caller: str = "a", route: str = "r") -> int:
    """How many of them are let through."""
    passed = 0
    for _ in range(count):
        try:
            await limits.check(rate, route=route, caller=caller)
        except TooManyRequests:
            continue
        passed += 1
    return passed


async def test_a_window_moves_with_the_time() -> None:
    watch = Watch()
    limits = RateLimits(seconds=watch)
    assert await _calls(limits, 2) == 2
    watch.now += 40
    assert await _calls(limits, 5) == 1, "refused calls are not counted"
    watch.now += 19.9
    with pytest.raises(TooManyRequests) as refused:
        await limits.check("3/minute", route="r", caller="a")
    assert refused.value.retry_after == 1
    watch.now += 0.1
    assert await _calls(limits, 5) == 2, "the first two are a minute old"
    with pytest.raises(TooManyRequests) as refused:
        await limits.check("3/minute", route="r", caller="a")
    assert refused.value.retry_after == 40


async def test_callers_routes_and_rates_are_counted_apart() -> None:
    limits = RateLimits(seconds=Watch())
    assert await _calls(limits, 5) == 3
    assert await _calls(limits, 5, caller="b") == 3
    assert await _calls(limits, 5, route="s") == 3
    assert await _calls(limits, 5, rate="4/hour") == 4
    assert await _calls(RateLimits(factor=2, seconds=Watch()), 10) == 6


async def test_who_has_been_quiet_is_forgotten() -> None:
    watch = Watch()
    limits = RateLimits(seconds=watch)
    for number in range(100):
        await _calls(limits, 1, caller=f"early{number}")
    assert limits.remembered == 100
    watch.now += 60
    for number in range(100):
        await _calls(limits, 1, caller=f"late{number}")
    assert limits.remembered == 100
    assert await _calls(limits, 5, caller="late7") == 2, "who has called is remembered"


async def test_who_calls_all_the_time_keeps_nobody_in_memory() -> None:
    watch = Watch()
    limits = RateLimits(seconds=watch)
    for number in range(200):
        await _calls(limits, 1, caller=f"once{number}")
        await _calls(limits, 1, caller="always")
        watch.now += 1
    assert limits.remembered <= 62
