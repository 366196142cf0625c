import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.sandbox.alipay.merchant import GATEWAY, Merchant
from tests.sandbox.city import City

IDENTITY = {
    "identity_type": "CERT_INFO",
    "cert_type": "IDENTITY_CARD",
    "cert_name": "王强",
    "cert_no": "320106199003079973",
}


async def open_check(merchant: Merchant, **changes: Any) -> dict[str, Any]:
    biz = {
        "outer_order_no": "YC20261121A",
        "biz_code": "FACE",
        "identity_param": IDENTITY,
        "merchant_config": {"return_url": "alipays://platformapi/startapp?appId=2021000000000001"},
    }
    return await merchant.call("alipay.user.certify.open.initialize", biz | changes)


def page(merchant: Merchant, certify_id: str, **changes: str) -> str:
    params = merchant.common("alipay.user.certify.open.certify", biz_content=json.dumps({"certify_id": certify_id}))
    url = httpx.URL(str(merchant.city.http.base_url)).join(GATEWAY)
    return str(url.copy_merge_params(merchant.signed(params) | changes))


@pytest.fixture
def check(merchant: Merchant, city: City) -> Callable[..., Awaitable[tuple[str, dict[str, Any]]]]:
    async def play(person: str, outcome: str = "pass", **changes: Any) -> tuple[str, dict[str, Any]]:
        certify_id = (await open_check(merchant, **changes))["certify_id"]
        done = await city.control(
            "POST",
            "/alipay/certify",
            person=person,
            certify_id=certify_id,
            url=page(merchant, certify_id),
            outcome=outcome,
        )
        shown = await merchant.call("alipay.user.certify.open.query", {"certify_id": certify_id})
        return done["resultStatus"], shown

    return play


Play = Callable[..., Awaitable[tuple[str, dict[str, Any]]]]


async def test_the_right_face(check: Play):
    assert await check("P3") == ("9000", {"code": "10000", "msg": "Success", "passed": "T"})


@pytest.mark.parametrize(
    ("person", "outcome", "status"),
    [("P4", "pass", "4000"), ("P3", "fail", "4000"), ("P3", "cancel", "6001"), ("P3", "network", "6002")],
)
async def test_other_endings(check: Play, person: str, outcome: str, status: str):
    ended, shown = await check(person, outcome)
    assert ended == status
    assert shown["passed"] == "F"
    assert shown["fail_reason"]


async def test_a_number_under_another_name_is_nobody(check: Play):
    status, shown = await check("P3", identity_param=IDENTITY | {"cert_name": "王小强"})
    assert (status, shown["passed"]) == ("4000", "F")


async def test_before_anybody_has_looked(merchant: Merchant, city: City):
    certify_id = (await open_check(merchant))["certify_id"]
    shown = await merchant.call("alipay.user.certify.open.query", {"certify_id": certify_id})
    assert (shown["passed"], shown["fail_reason"]) == ("F", "认证未完成")
    answer = await city.http.get(page(merchant, certify_id))
    assert "*强，请完成身份认证" in answer.text
    broken = await city.http.get(page(merchant, certify_id, sign="AAAA"))
    assert broken.json()["error_response"]["sub_code"] == "isv.invalid-signature"


async def test_the_phone_opens_only_the_checks_own_page(merchant: Merchant, city: City):
    certify_id = (await open_check(merchant))["certify_id"]
    wanted = {"person": "P3", "certify_id": certify_id}
    for url in (page(merchant, "another"), page(merchant, certify_id, sign="AAAA"), "https://elsewhere.example/"):
        answer = await city.http.post("/_control/alipay/certify", json=wanted | {"url": url})
        assert answer.status_code == 422


async def test_a_check_is_called_by_get_alone(merchant: Merchant):
    refused = await merchant.call("alipay.user.certify.open.certify", {"certify_id": "x"})
    assert refused["sub_code"] == "isv.invalid-method"


async def test_a_check_ends_with_the_day(merchant: Merchant, city: City):
    certify_id = (await open_check(merchant))["certify_id"]
    await city.control("POST", "/clock", advance_seconds=23 * 3600 + 1)
    wanted = {"person": "P3", "certify_id": certify_id, "url": page(merchant, certify_id)}
    answer = await city.http.post("/_control/alipay/certify", json=wanted)
    assert answer.status_code == 422  # its signed address is too old by then as well
    unknown = {"certify_id": "0" * 32}
    await city.control("POST", "/clock", advance_seconds=-(23 * 3600 + 1))
    shown = await merchant.call("alipay.user.certify.open.query", unknown)
    assert shown["sub_code"] == "CERTIFY_ID_EXPIRED"


@pytest.mark.parametrize(
    "changes",
    [
        {"outer_order_no": "with-dash"},
        {"outer_order_no": "a" * 33},
        {"biz_code": "EYES"},
        {"identity_param": json.dumps(IDENTITY)},
        {"identity_param": IDENTITY | {"cert_type": "PASSPORT"}},
        {"identity_param": IDENTITY | {"cert_no": ""}},
        {"merchant_config": {}},
    ],
)
async def test_what_is_refused(merchant: Merchant, changes: dict[str, Any]):
    refused = await open_check(merchant, **changes)
    assert (refused["code"], refused["sub_code"]) == ("40004", "INVALID_PARAMETER")


async def test_an_order_number_is_used_once(merchant: Merchant):
    assert (await open_check(merchant))["code"] == "10000"
    assert (await open_check(merchant))["sub_code"] == "INVALID_PARAMETER"
