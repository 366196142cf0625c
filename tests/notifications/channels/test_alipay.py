"""The adapter against the sandbox's gateway on the wire, and against refusals it does not make."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from kit.clock import SystemClock
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.errors import AlipayError
from kit.wallets.alipay.keys import alipay_public_key, app_key
from kit.wallets.alipay.signing import AppSigner
from notifications.channels.alipay import FOR_GOOD, NO_CONSENT, AlipayChannel
from notifications.ports import ConsentRefused, Outgoing
from notifications.rules import Agreement
from sandbox.people import FICTIONAL
from sandbox.server import Running
from tests.sandbox.city import City

P1 = FICTIONAL[0]
FIELDS = {f"keyword{place}": text for place, text in enumerate(("转移登记", "0001", "待缴费", "今天", "请缴费"), 1)}


@dataclass
class Line:
    """The channel and the gateway it speaks to."""

    channel: AlipayChannel
    city: City
    address: str

    async def send(self, template: str = "fee_due", **changes: Any) -> str:
        given = {"address": self.address, "template": template, "fields": FIELDS, "page": "pages/x?id=1"}
        return await self.channel.send(Outgoing(**{**given, "reference": "d1", **changes}))

    async def subscribe(self, *templates: str) -> None:
        ids = [self.city.ids["alipay_templates"][each] for each in templates]
        await self.city.control("POST", "/alipay/subscribe", person="P1", templates=ids)

    async def shown(self) -> list[dict[str, Any]]:
        return list((await self.city.control("GET", "/alipay/messages?person=P1"))["items"])


@pytest.fixture(params=["user_id", "open_id"])
async def line(running: Running, city: City, request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    http = HttpClient("alipay", timeout=60)
    signer = AppSigner(city.ids["alipay_app_id"], app_key(city.secret("alipay_app_key.pem")), SystemClock())
    api = AlipayApi(
        http, f"{running.url}/alipay/gateway.do", signer, alipay_public_key(city.secret("alipay_public_key.pem"))
    )
    channel = AlipayChannel(api, city.ids["alipay_templates"], standing=["case_accepted"])
    address = P1.alipay_user_id if request.param == "user_id" else P1.alipay_open_id
    yield Line(channel, city, address)
    await http.aclose()


async def test_one_agreement_is_one_message(line: Line) -> None:
    with pytest.raises(ConsentRefused):
        await line.send()
    await line.subscribe("fee_due")
    assert await line.send() == "d1"
    (shown,) = await line.shown()
    assert (shown["template"], shown["data"], shown["page"]) == ("fee_due", FIELDS, "pages/x?id=1")
    with pytest.raises(ConsentRefused):
        await line.send()


async def test_a_long_term_agreement_is_good_for_all(line: Line) -> None:
    await line.subscribe("case_accepted")
    for _ in range(3):
        await line.send("case_accepted")
    assert len(await line.shown()) == 3
    assert line.channel.agreement("case_accepted") is Agreement.STANDING
    assert line.channel.agreement("fee_due") is Agreement.ONCE


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"address": "2088999999999999"}, "USER_NOT_EXIST"),
        ({"fields": {"keyword1": "x"}}, "TEMPLATE_PARAM_ILLEGAL"),
        ({"page": "p" * 129}, "INVALID_PARAMETER"),
    ],
)
async def test_a_message_that_is_wrong_is_for_staff(line: Line, changes: dict[str, Any], code: str) -> None:
    await line.subscribe("fee_due")
    with pytest.raises(OutsideError) as caught:
        await line.send(**changes)
    assert (caught.value.code, caught.value.permanent) == (code, True)


@pytest.mark.parametrize("order", [{"kind": "status", "status": 503}, {"kind": "drop"}, {"kind": "wrong_signature"}])
async def test_a_gateway_in_trouble_is_tried_again(
    line: Line, fault: Callable[..., Any], order: dict[str, Any]
) -> None:
    await line.subscribe("fee_due")
    await fault("alipay.message", **order)
    with pytest.raises(OutsideError) as caught:
        await line.send()
    assert not caught.value.permanent


def test_what_is_configured_must_be_ours(line: Line) -> None:
    assert line.channel.check_config() == []
    api = line.channel._api
    assert AlipayChannel(api, {"nope": "1"}, standing=["fee_due"]).check_config() == [
        "nope is no template of ours",
        "fee_due is said to be long-term but has no template id",
    ]
    assert line.channel.template_id("nope") is None


class Refusing:
    """A gateway that says no, in one way."""

    def __init__(self, sub_code: str) -> None:
        self._sub_code = sub_code

    async def call(self, request: object, *, answers: str) -> dict[str, Any]:  # noqa: ARG002 - the gateway's form
        raise AlipayError("40004", self._sub_code, "x")


@pytest.mark.parametrize("code", sorted(NO_CONSENT | FOR_GOOD | {"SYSTEM_ERROR", "aop.call-limited", "WHO_KNOWS"}))
async def test_every_known_refusal_has_its_meaning(code: str) -> None:
    channel = AlipayChannel(Refusing(code), {"fee_due": "T1"})  # type: ignore[arg-type]
    expected: type[Exception] = ConsentRefused if code in NO_CONSENT else OutsideError
    with pytest.raises(expected) as caught:
        await channel.send(Outgoing("2088000000000001", "fee_due", FIELDS, "pages/x"))
    if isinstance(caught.value, OutsideError):
        assert caught.value.permanent == (code not in {"SYSTEM_ERROR", "aop.call-limited"})


async def test_a_city_can_name_further_refusals() -> None:
    channel = AlipayChannel(Refusing("NEW_ONE"), {"fee_due": "T1"}, no_consent=["NEW_ONE"])  # type: ignore[arg-type]
    with pytest.raises(ConsentRefused):
        await channel.send(Outgoing("2088000000000001", "fee_due", FIELDS, "pages/x"))
