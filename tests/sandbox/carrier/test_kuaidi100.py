import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import pytest

from sandbox.server import served
from tests.sandbox.city import City, Receiver

WAYBILL = "1136281381675"
SALT = "ours"


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


async def subscribe(city: City, callback: str, **changes: Any) -> dict[str, Any]:
    param = {
        "company": "ems",
        "number": WAYBILL,
        "key": city.secret("carrier_key"),
        "parameters": {"callbackurl": callback, "salt": SALT, "resultv2": "4"},
        **changes,
    }
    form = urlencode({"schema": "json", "param": json.dumps(param)})
    answer = await city.http.post("/kuaidi100/poll", content=form)
    assert answer.status_code == 200
    return dict(answer.json())


async def query(city: City, **changes: str) -> dict[str, Any]:
    param = json.dumps({"com": "ems", "num": WAYBILL, "resultv2": "4"})
    customer = city.ids["carrier_customer"]
    form = {"customer": customer, "sign": md5(param + city.secret("carrier_key") + customer), "param": param} | changes
    return dict((await city.http.post("/kuaidi100/poll/query.do", content=urlencode(form))).json())


def read(body: bytes) -> dict[str, Any]:
    """A push whose sign fits."""
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert form["sign"] == md5(form["param"] + SALT)
    return dict(json.loads(form["param"]))


async def test_a_subscription_is_told_of_every_scan_until_it_says_success(city: City, receiver: Receiver) -> None:
    assert (await subscribe(city, receiver.url))["returnCode"] == "200"
    assert (await subscribe(city, receiver.url))["returnCode"] == "501"
    await city.control("POST", "/carrier/advance", waybill=WAYBILL, step="collected")
    # The receiver answers without `result`, so it is told four times in all.
    pushes = [read(body) for _, body in await receiver.wait_for(4)]
    assert pushes[0] == pushes[3]
    last = pushes[0]["lastResult"]
    assert (last["state"], last["nu"], last["com"], pushes[0]["status"]) == ("103", WAYBILL, "ems", "polling")
    assert [line["statusCode"] for line in last["data"]] == ["103"]
    await asyncio.sleep(0.05)
    assert len(receiver.received) == 4


async def test_the_list_is_full_and_newest_first_and_ends_with_the_signature(city: City, receiver: Receiver) -> None:
    await subscribe(city, receiver.url)
    for step in ("collected", "delivering"):
        await city.control("POST", "/carrier/advance", waybill=WAYBILL, step=step, push=False)
    await city.control("POST", "/carrier/advance", waybill=WAYBILL, step="signed", signed_by="other")
    (_, body), *_ = await receiver.wait_for(1)
    told = read(body)
    assert [line["statusCode"] for line in told["lastResult"]["data"]] == ["303", "5", "103"]
    assert (told["status"], told["lastResult"]["ischeck"]) == ("shutdown", "1")
    assert [line["status"] for line in told["lastResult"]["data"]] == ["签收", "派件", "揽收"]
    times = [line["ftime"] for line in told["lastResult"]["data"]]
    assert times == sorted(set(times), reverse=True)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": "another"}, "600"),
        ({"company": "pigeon"}, "700"),
        ({"number": "12345"}, "701"),
        ({"parameters": {"callbackurl": "http://city.example/"}}, "701"),
        ({"company": "shunfeng", "parameters": {"callbackurl": "https://city.example/"}}, "701"),
    ],
)
async def test_refused_subscriptions(city: City, changes: dict[str, Any], code: str) -> None:
    assert (await subscribe(city, "https://city.example/callbacks/carrier", **changes))["returnCode"] == code


async def test_a_query_is_answered_to_who_signs_right(city: City) -> None:
    assert (await query(city))["returnCode"] == "500"
    await city.control("POST", "/carrier/advance", waybill=WAYBILL, step="collected")
    assert (await query(city))["state"] == "103"
    assert (await query(city, sign="0" * 32))["returnCode"] == "503"
    assert (await query(city, customer="another"))["returnCode"] == "503"


async def test_a_late_line_takes_its_place(city: City) -> None:
    await city.control("POST", "/carrier/advance", waybill=WAYBILL, step="delivering")
    shown = await city.control("POST", "/carrier/advance", waybill=WAYBILL, step="collected", seconds_ago=3600)
    assert [scan["step"] for scan in shown["scans"]] == ["collected", "delivering"]
    assert "salt" not in shown


async def test_nobody_is_told_without_a_subscription(city: City) -> None:
    await city.control("POST", "/carrier/advance", waybill=WAYBILL, step="collected")
    refused = await city.http.post("/_control/carrier/push", json={"waybill": WAYBILL})
    assert refused.status_code == 409
    assert (await city.http.post("/_control/carrier/push", json={"waybill": "000000"})).status_code == 404


async def test_parcels_outlive_a_restart_and_untold_lists_start_over(directory: Path, receiver: Receiver) -> None:
    async with served(directory) as running, httpx.AsyncClient(base_url=running.url, trust_env=False) as http:
        city = City(http, directory / "credentials")
        await subscribe(city, receiver.url)
        await city.control("POST", "/carrier/advance", waybill=WAYBILL, step="collected")
        await receiver.wait_for(1)
    async with served(directory) as running, httpx.AsyncClient(base_url=running.url, trust_env=False) as http:
        city = City(http, directory / "credentials")
        (parcel,) = (await city.control("GET", "/carrier/parcels"))["items"]
        assert (parcel["waybill"], parcel["told"], len(parcel["scans"])) == (WAYBILL, False, 1)
        await receiver.wait_for(2)
