from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx
import pytest

from kit.clock import FixedClock
from tests.kit.wallets.wechat.party import Party


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 21, 4, 0, tzinfo=UTC))


@pytest.fixture
async def client() -> AsyncIterator[Callable[[Callable[..., object]], httpx.AsyncClient]]:
    """A factory: the answering function in, an HTTP client that asks it out."""
    made: list[httpx.AsyncClient] = []

    def make(answer: Callable[..., object]) -> httpx.AsyncClient:
        made.append(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
        return made[-1]

    yield make
    for http in made:
        await http.aclose()


@pytest.fixture(scope="session")
def merchant() -> Party:
    return Party()


@pytest.fixture(scope="session")
def platform() -> Party:
    return Party()
