"""Fixtures of a served sandbox: what the partners are to a test."""

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from wechatpayv3.async_ import AsyncWeChatPay, WeChatPayType

from sandbox import credentials
from sandbox.server import Running, served
from tests.sandbox.alipay.merchant import Merchant
from tests.sandbox.city import City, Receiver
from tests.support.listening import listening

# Fast enough for a test, slow enough to see the order: 15 s become 15 ms.
TIME_SCALE = 0.001


@pytest.fixture(scope="session")
def keyed_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sandbox")
    credentials.init(directory)
    return directory


@pytest.fixture
def directory(keyed_directory: Path, tmp_path: Path) -> Path:
    """The same keys for every test, books of its own."""
    shutil.copytree(keyed_directory, tmp_path / "sandbox")
    return tmp_path / "sandbox"


@pytest.fixture
async def running(directory: Path) -> AsyncIterator[Running]:
    async with served(directory, time_scale=TIME_SCALE) as running:
        yield running


@pytest.fixture
async def city(running: Running, directory: Path) -> AsyncIterator[City]:
    async with httpx.AsyncClient(base_url=running.url, timeout=60, trust_env=False) as http:
        yield City(http, directory / "credentials")


@pytest.fixture
def merchant(city: City) -> Merchant:
    return Merchant(city)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with listening(receiver.serve) as base_url:
        receiver.url = f"{base_url}/callbacks"
        yield receiver


@pytest.fixture
def fault(city: City) -> Callable[..., Any]:
    async def order(target: str, kind: str, **more: Any) -> None:
        await city.control("POST", "/faults", target=target, kind=kind, **more)

    return order


@pytest.fixture
async def sdk(city: City, running: Running) -> AsyncIterator[AsyncWeChatPay]:
    client = AsyncWeChatPay(
        wechatpay_type=WeChatPayType.MINIPROG,
        mchid=city.ids["mchid"],
        private_key=city.secret("merchant_key.pem"),
        cert_serial_no=city.ids["merchant_serial"],
        appid=city.ids["app_id"],
        apiv3_key=city.secret("apiv3_key"),
        notify_url="https://city.example/callbacks/wechat_pay",
        public_key=city.secret("wechatpay_public_key.pem"),
        public_key_id=city.ids["wechatpay_public_key_id"],
        timeout=60,
    )
    client._core._gate_way = running.url
    async with client:
        yield client
