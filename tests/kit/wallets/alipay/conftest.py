from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from kit.clock import FixedClock
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.signing import AppSigner
from tests.kit.wallets.alipay.gateway import AES_KEY, APP_ID, GATEWAY, Gateway
from tests.kit.wallets.wechat.party import Party


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 21, 16, 30, 5, tzinfo=UTC))  # in Beijing it is the next day already


@pytest.fixture(scope="session")
def app() -> Party:
    return Party()


@pytest.fixture(scope="session")
def alipay() -> Party:
    return Party()


@pytest.fixture
def signer(app: Party, clock: FixedClock) -> AppSigner:
    return AppSigner(APP_ID, app.key, clock)


@pytest.fixture
def gateway(app: Party, alipay: Party) -> Gateway:
    return Gateway(app, alipay)


@pytest.fixture
async def api(gateway: Gateway, signer: AppSigner, alipay: Party) -> AsyncIterator[AlipayApi]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(gateway)) as http:
        yield AlipayApi(http, GATEWAY, signer, alipay.public, aes_key=AES_KEY)
