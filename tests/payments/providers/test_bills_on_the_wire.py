"""Bills of both wallets from the sandbox, over HTTP, with real signatures, digests and packing."""

import asyncio
import gzip
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest

from kit.clock import FixedClock, local_date
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.keys import aes_key, alipay_public_key, app_key
from kit.wallets.alipay.signing import AppSigner
from kit.wallets.wechat.pay.client import PayTransport
from kit.wallets.wechat.pay.keys import merchant_key, platform_keys
from kit.wallets.wechat.pay.signing import MerchantSigner
from payments.bills.bill import LineKind, UnreadableBill
from payments.ports import BillNotReady
from payments.providers.alipay_bills import AlipayBills, followed
from payments.providers.wechat_bills import WechatBills
from sandbox import credentials
from sandbox.server import Running, served
from tests.sandbox.city import City
from tests.support.listening import listening

A_DAY_AND_A_HALF = 36 * 3600


@dataclass
class Wire:
    running: Running
    city: City
    clock: FixedClock
    wechat: WechatBills
    alipay: AlipayBills
    day: date

    async def paid(self, number: str = "T" * 32) -> None:
        prepay_id = await self.city.order(number)
        answer = await self.city.control("POST", "/wx/pay", **self.city.payment(prepay_id))
        assert answer["result"] == "ok"

    async def later(self) -> None:
        """The next day, past ten, for both sides."""
        await self.city.control("POST", "/clock", advance_seconds=A_DAY_AND_A_HALF)
        self.clock.advance(seconds=A_DAY_AND_A_HALF)


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bills")
    credentials.init(directory)
    return directory


@pytest.fixture
async def wire(keyed: Path, tmp_path: Path) -> AsyncIterator[Wire]:
    shutil.copytree(keyed, tmp_path, dirs_exist_ok=True)
    clock = FixedClock(datetime.now(UTC))
    client = HttpClient("wallets")
    async with (
        served(tmp_path, time_scale=0.001) as running,
        httpx.AsyncClient(base_url=running.url, timeout=60, trust_env=False) as http,
    ):
        city = City(http, tmp_path / "credentials")
        yield Wire(
            running,
            city,
            clock,
            wechat_bills(city, client, running.url, clock),
            alipay_bills(city, client, running.url, clock),
            local_date(clock.now()),
        )
    await client.aclose()


def wechat_bills(city: City, client: HttpClient, url: str, clock: FixedClock) -> WechatBills:
    key = merchant_key(city.secret("merchant_key.pem"))
    signer = MerchantSigner(city.ids["mchid"], city.ids["merchant_serial"], key, clock)
    key_id = city.ids["wechatpay_public_key_id"]
    keys = platform_keys({key_id: city.secret("wechatpay_public_key.pem")})
    transport = PayTransport(client, f"{url}/wechatpay", signer=signer, keys=keys, key_id=key_id, clock=clock)
    return WechatBills(transport, client, merchant_id=city.ids["mchid"])


def alipay_bills(city: City, client: HttpClient, url: str, clock: FixedClock) -> AlipayBills:
    signer = AppSigner(city.ids["alipay_app_id"], app_key(city.secret("alipay_app_key.pem")), clock)
    api = AlipayApi(
        client,
        f"{url}/alipay/gateway.do",
        signer,
        alipay_public_key(city.secret("alipay_public_key.pem")),
        aes_key=aes_key(city.secret("alipay_aes_key")),
    )
    return AlipayBills(api, client, seller_id=city.ids["alipay_seller_id"], hosts={urlsplit(url).netloc})


async def test_wechats_bill_of_a_day(wire: Wire) -> None:
    await wire.paid()
    await wire.city.control("POST", "/pay/bill-line", day=str(wire.day), out_trade_no="ghost1", amount_fen=1234)
    await wire.city.control(
        "POST", "/pay/bill-line", day=str(wire.day), out_trade_no="ghost1", out_request_no="back1", amount_fen=34
    )
    await wire.later()
    bill = await wire.wechat.fetch(wire.day)
    found = {(line.kind, line.out_trade_no, line.out_refund_no, line.amount_fen) for line in bill.lines}
    assert found == {
        (LineKind.PAYMENT, "T" * 32, "", 8000),
        (LineKind.PAYMENT, "ghost1", "", 1234),
        (LineKind.REFUND, "ghost1", "back1", 34),
    }
    assert bill.totals.service_fee_fen == 48 + 7 - 0
    assert gzip.decompress(bill.raw).startswith("\ufeff交易时间".encode())


async def test_a_line_lost_and_an_amount_that_is_wrong(wire: Wire) -> None:
    await wire.paid("A" * 32)
    await wire.paid("B" * 32)
    await wire.city.control("POST", "/pay/bill-line", action="omit", out_trade_no="A" * 32)
    await wire.city.control("POST", "/pay/bill-line", action="amount", out_trade_no="B" * 32, amount_fen=7999)
    await wire.later()
    bill = await wire.wechat.fetch(wire.day)
    assert [(line.out_trade_no, line.amount_fen) for line in bill.lines] == [("B" * 32, 7999)]


@pytest.mark.parametrize("name", ["wechat", "alipay"])
async def test_a_bill_is_not_there_before_ten(wire: Wire, name: str) -> None:
    await wire.paid()
    yesterday = wire.day - timedelta(days=1)
    begins = datetime(wire.day.year, wire.day.month, wire.day.day, 9, 59, tzinfo=UTC) - timedelta(hours=8)
    back = (begins - wire.clock.now()).total_seconds()
    await wire.city.control("POST", "/clock", advance_seconds=back)
    wire.clock.advance(seconds=back)
    with pytest.raises(BillNotReady):
        await getattr(wire, name).fetch(yesterday)


async def test_a_day_without_payments_has_no_bill_at_wechat_and_an_empty_one_at_alipay(wire: Wire) -> None:
    await wire.later()
    with pytest.raises(BillNotReady) as absent:
        await wire.wechat.fetch(wire.day)
    assert absent.value.absent
    assert (await wire.alipay.fetch(wire.day)).lines == ()


async def test_alipays_bill_of_a_day(wire: Wire) -> None:
    await wire.city.control("POST", "/alipay/bill-line", day=str(wire.day), out_trade_no="T1", amount_fen=8000)
    await wire.city.control(
        "POST", "/alipay/bill-line", day=str(wire.day), out_trade_no="T1", out_request_no="R1", amount_fen=3000
    )
    await wire.later()
    bill = await wire.alipay.fetch(wire.day)
    assert {(line.kind, line.number, line.amount_fen, line.service_fee_fen) for line in bill.lines} == {
        (LineKind.PAYMENT, bill.lines[0].transaction_id, 8000, 48),
        (LineKind.REFUND, "R1", 3000, -18),
    }


@pytest.mark.parametrize(
    ("target", "fault", "code"),
    [
        ("pay.bill", {"kind": "wrong_signature"}, "BAD_SIGNATURE"),
        ("pay.bill", {"kind": "stale_clock"}, "BAD_SIGNATURE"),
        ("pay.bill", {"kind": "status", "status": 500}, "SYSTEM_ERROR"),
        ("pay.bill", {"kind": "drop"}, "UNREACHABLE"),
        ("pay.bill_download", {"kind": "drop"}, "UNREACHABLE"),
        ("pay.bill_download", {"kind": "status", "status": 503}, "SYSTEM_ERROR"),
        ("alipay.bill", {"kind": "wrong_signature"}, "BAD_SIGNATURE"),
        ("alipay.bill_download", {"kind": "drop"}, "UNREACHABLE"),
        ("alipay.bill_download", {"kind": "status", "status": 503}, "HTTP_503"),
    ],
)
async def test_what_passes_is_transient(wire: Wire, target: str, fault: dict[str, Any], code: str) -> None:
    await wire.paid()
    await wire.later()
    await wire.city.control("POST", "/faults", target=target, **fault)
    bills = wire.alipay if target.startswith("alipay") else wire.wechat
    with pytest.raises(OutsideError) as error:
        await bills.fetch(wire.day)
    assert (error.value.code, error.value.permanent) == (code, False)
    await bills.fetch(wire.day)


class Redirected:
    """A platform whose signed answer names another address."""

    def __init__(self, transport: PayTransport, **answer: str) -> None:
        self.__dict__.update(_transport=transport, _answer=answer)

    async def get(self, path: str, *, params: dict[str, str]) -> tuple[int, dict[str, Any]]:
        status, answer = await self.__dict__["_transport"].get(path, params=params)
        return status, answer | self.__dict__["_answer"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_transport"], name)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/v3/billdownload/file?token=x",
        "https://127.0.0.1/v3/billdownload/file?token=x",
        "http://127.0.0.1@evil.example/v3/file?token=x",
        "file:///etc/passwd",
        "",
    ],
)
async def test_only_the_platforms_own_address_gets_our_signature(wire: Wire, url: str) -> None:
    await wire.paid()
    await wire.later()
    wire.wechat._transport = cast("PayTransport", Redirected(wire.wechat._transport, download_url=url))
    with pytest.raises(OutsideError, match="FOREIGN_ADDRESS"):
        await wire.wechat.fetch(wire.day)
    own = f"{wire.running.url}@evil.example/v3/file"
    wire.wechat._transport = cast("PayTransport", Redirected(wire.wechat._transport, download_url=own))
    with pytest.raises(OutsideError, match="FOREIGN_ADDRESS"):
        await wire.wechat.fetch(wire.day)


@pytest.mark.parametrize("wrong", [{"hash_value": "0" * 40}, {"hash_type": "MD5"}])
async def test_a_file_that_is_not_the_one_told(wire: Wire, wrong: dict[str, str]) -> None:
    await wire.paid()
    await wire.later()
    wire.wechat._transport = cast("PayTransport", Redirected(wire.wechat._transport, **wrong))
    with pytest.raises(UnreadableBill):
        await wire.wechat.fetch(wire.day)


HOSTS = {"dwbillcenter.alipay.com", "127.0.0.1:8000"}


@pytest.mark.parametrize(
    ("url", "fetched"),
    [
        ("https://dwbillcenter.alipay.com/d?bizType=t", "https://dwbillcenter.alipay.com/d?bizType=t"),
        ("http://dwbillcenter.alipay.com/d?bizType=t", "https://dwbillcenter.alipay.com/d?bizType=t"),
        ("http://127.0.0.1:8000/alipay/bills/x", "http://127.0.0.1:8000/alipay/bills/x"),
        ("http://127.0.0.1:8001/alipay/bills/x", None),
        ("http://127.0.0.1/alipay/bills/x", None),
        ("https://dwbillcenter.alipay.com:8443/d", None),
        ("https://dwbillcenter.alipay.com.evil.example/d", None),
        ("https://dwbillcenter.alipay.com@evil.example/d", None),
        ("https://me@dwbillcenter.alipay.com/d", None),
        ("ftp://dwbillcenter.alipay.com/d", None),
        ("https://dwbillcenter.alipay.com/d\r\nHost: x", None),
        ("https://[broken/d", None),
        ("http://169.254.169.254/", None),
        ("", None),
    ],
)
def test_an_address_is_followed_to_hosts_we_know_only(url: str, fetched: str | None) -> None:
    assert followed(url, HOSTS) == fetched


async def test_a_file_larger_than_allowed_is_not_read_on() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x" * 1000)
        await writer.drain()
        await reader.read()  # until the caller hangs up

    client = HttpClient("wallets")
    async with listening(drip) as base_url:
        with pytest.raises(OutsideError) as error:
            await client.download(f"{base_url}/file", most_bytes=5000)
        await client.aclose()
    assert (error.value.code, error.value.permanent) == ("TOO_LARGE", True)
