import csv
import io
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.alipay.merchant import Merchant
from tests.sandbox.city import City

BILL = "alipay.data.dataservice.bill.downloadurl.query"
Tap = Callable[..., Awaitable[str]]


@dataclass
class Later(Merchant):
    """The merchant two days on: the platform's clock has been moved, and the merchant's moves with it."""

    day: str
    """The day of business."""

    def common(self, method: str, **more: str) -> dict[str, str]:
        then = datetime.now(UTC) + timedelta(hours=8, days=2)
        return super().common(method, **{"timestamp": f"{then:%Y-%m-%d %H:%M:%S}", **more})


@pytest.fixture
async def later(city: City, merchant: Merchant, tap: Tap) -> Later:
    day = f"{datetime.now(UTC) + timedelta(hours=8):%Y-%m-%d}"
    for number in ("T1", "T2", "T3"):
        made = await merchant.create(number)
        if number != "T3":
            await tap(made["trade_no"])
    biz = {"out_trade_no": "T2", "refund_amount": "30.00", "out_request_no": "R1"}
    await merchant.call("alipay.trade.refund", biz)
    await city.control("POST", "/clock", advance_seconds=2 * 86400)
    return Later(city, day)


async def link(merchant: Later, **changes: str) -> dict[str, Any]:
    return await merchant.call(BILL, {"bill_type": "trade", "bill_date": merchant.day} | changes)


async def fetch(merchant: Later) -> tuple[list[str], list[str]]:
    """Lines of the details and of the summary."""
    shown = await link(merchant)
    answer = await merchant.city.http.get(shown["bill_download_url"])
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    details, summary = sorted(archive.namelist(), key=lambda name: "汇总" in name)
    return archive.read(details).decode("gbk").splitlines(), archive.read(summary).decode("gbk").splitlines()


def rows(lines: list[str]) -> list[dict[str, str]]:
    table = [line for line in lines if not line.startswith("#")]
    return [{name: cell.strip() for name, cell in row.items()} for row in csv.DictReader(table)]


async def test_a_days_bill(later: Later):
    details, summary = await fetch(later)
    assert details[1] == f"#账号：[{later.city.ids['alipay_seller_id']}0156]"
    assert all(line.endswith("\t") for line in details if not line.startswith(("#", "支付宝")))
    shown = [
        (each["业务类型"], each["商户订单号"], each["订单金额（元）"], each["服务费（元）"], each["退款批次号/请求号"])
        for each in rows(details)
    ]
    assert sorted(shown) == [
        ("交易", "T1", "80.00", "-0.48", ""),
        ("交易", "T2", "80.00", "-0.48", ""),
        ("退款", "T2", "-30.00", "0.18", "R1"),
    ]
    (total,) = rows(summary)
    assert (total["门店编号"], total["交易订单总笔数"], total["退款订单总笔数"]) == ("合计", "2", "1")
    assert (total["订单金额（元）"], total["服务费（元）"], total["实收净额（元）"]) == ("130.00", "-0.78", "129.22")
    assert "#交易合计：2笔，商家实收共160.00元，商家优惠共0.00元" in details


async def test_a_link_is_good_once_and_shortly(later: Later, city: City):
    url = (await link(later))["bill_download_url"]
    assert (await city.http.get(url)).status_code == 200
    assert (await city.http.get(url)).status_code == 404
    url = (await link(later))["bill_download_url"]
    await city.control("POST", "/clock", advance_seconds=31)
    assert (await city.http.get(url)).status_code == 404


async def test_what_there_is_no_bill_for(later: Later):
    tomorrow = f"{datetime.now(UTC) + timedelta(hours=8, days=2):%Y-%m-%d}"
    assert (await link(later, bill_date=tomorrow))["sub_code"] == "isp.bill_not_exist"
    assert (await link(later, bill_date="2026-02-30"))["sub_code"] == "isv.invalid-arguments"
    assert (await link(later, bill_date="yesterday"))["sub_code"] == "isv.invalid-arguments"
    assert (await link(later, bill_type="lottery"))["sub_code"] == "isv.invalid-arguments"
    assert "bill_download_url" in await link(later, bill_date="2026-09")


async def test_lines_that_nobody_knows_and_lines_that_are_missing(later: Later, city: City):
    await city.control("POST", "/alipay/bill-line", day=later.day, out_trade_no="GHOST1", amount_fen=1234)
    await city.control("POST", "/alipay/bill-line", action="omit", out_trade_no="T1")
    details, summary = await fetch(later)
    shown = {(each["商户订单号"], each["订单金额（元）"]) for each in rows(details)}
    assert shown == {("GHOST1", "12.34"), ("T2", "80.00"), ("T2", "-30.00")}
    assert rows(summary)[0]["订单金额（元）"] == "62.34"
