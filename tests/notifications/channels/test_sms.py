"""The adapter against the sandbox on the wire."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from kit.clock import Clock, FixedClock, SystemClock
from kit.errors import OutsideError
from kit.http import HttpClient
from notifications import templates
from notifications.channels.refusal import Refusal
from notifications.channels.sms import TencentSms
from notifications.channels.sms_codes import REFUSALS
from notifications.ports import ConsentRefused, Outgoing, Report
from notifications.rules import Agreement
from sandbox.people import FICTIONAL
from sandbox.server import Running
from sandbox.templates import SMS_TEXTS
from tests.sandbox.city import City

P1 = FICTIONAL[0]
TEXT = Outgoing(f"+86{P1.phone}", "fee_due", {"1": "20261121-320114-000001", "2": "80.00"}, "pages/x", reference="d1")

# As the provider's SDK and documentation list them for these two interfaces.
DOCUMENTED = """
FailedOperation.ContainSensitiveWord FailedOperation.FailResolvePacket
FailedOperation.InsufficientBalanceInSmsPackage FailedOperation.JsonParseFail
FailedOperation.MarketingSendTimeConstraint FailedOperation.MissingSignature FailedOperation.MissingSignatureList
FailedOperation.MissingTemplateList FailedOperation.NotEnterpriseCertification FailedOperation.OtherError
FailedOperation.ParametersOtherError FailedOperation.PhoneNumberInBlacklist FailedOperation.PhoneNumberOnBlacklist
FailedOperation.SignatureIncorrectOrUnapproved FailedOperation.TemplateIncorrectOrUnapproved
InternalError.JsonParseFail InternalError.OtherError InternalError.RequestTimeException
InternalError.RestApiInterfaceNotExist InternalError.SendAndRecvFail InternalError.SigFieldMissing
InternalError.SigVerificationFail InternalError.Timeout InternalError.UnknownError InvalidParameter
InvalidParameter.AppidAndBizId InvalidParameter.DirtyWordFound InvalidParameter.InvalidParameters
InvalidParameterValue.BeginTimeVerifyFail InvalidParameterValue.ContentLengthLimit
InvalidParameterValue.EndTimeVerifyFail InvalidParameterValue.IncorrectPhoneNumber
InvalidParameterValue.InvalidStartTime InvalidParameterValue.LimitVerifyFail
InvalidParameterValue.OffsetVerifyFail InvalidParameterValue.ProhibitedUseUrlInTemplateParameter
InvalidParameterValue.SdkAppIdNotExist InvalidParameterValue.TemplateParameterFormatError
InvalidParameterValue.TemplateParameterLengthLimit LimitExceeded.AppDailyLimit LimitExceeded.DailyLimit
LimitExceeded.DeliveryFrequencyLimit LimitExceeded.PhoneNumberCountLimit LimitExceeded.PhoneNumberDailyLimit
LimitExceeded.PhoneNumberOneHourLimit LimitExceeded.PhoneNumberSameContentDailyLimit
LimitExceeded.PhoneNumberThirtySecondLimit MissingParameter MissingParameter.EmptyPhoneNumberSet
UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny UnauthorizedOperation.RequestIpNotInWhitelist
UnauthorizedOperation.RequestPermissionDeny UnauthorizedOperation.SdkAppIdIsDisabled
UnauthorizedOperation.SerivceSuspendDueToArrears UnauthorizedOperation.SmsSdkAppIdVerifyFail
UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber UnsupportedOperation.UnsuportedRegion
ActionOffline AuthFailure.InvalidAuthorization AuthFailure.InvalidSecretId AuthFailure.MFAFailure
AuthFailure.SecretIdNotFound AuthFailure.SignatureExpire AuthFailure.SignatureFailure AuthFailure.TokenFailure
AuthFailure.UnauthorizedOperation FailedOperation InternalError InvalidAction InvalidParameterValue InvalidRequest
IpInBlacklist IpNotInWhitelist LimitExceeded NoSuchProduct NoSuchVersion RequestLimitExceeded
RequestLimitExceeded.GlobalRegionUinLimitExceeded RequestLimitExceeded.IPLimitExceeded
""".split()  # noqa: SIM905 - a list this long reads better as text


@dataclass
class Line:
    """The adapter and the provider it speaks to."""

    make: Callable[..., TencentSms]
    city: City
    clock: Clock

    async def send(self, **changes: Any) -> str:
        return await self.make().send(Outgoing(**{**_fields(TEXT), **changes}))

    async def shown(self) -> list[dict[str, Any]]:
        return list((await self.city.control("GET", "/sms/messages?person=P1"))["items"])


def _fields(message: Outgoing) -> dict[str, Any]:
    return {name: getattr(message, name) for name in ("address", "template", "fields", "page", "reference")}


@pytest.fixture
async def line(running: Running, city: City) -> AsyncIterator[Line]:
    http, clock = HttpClient("sms", timeout=60), SystemClock()

    def make(**changes: Any) -> TencentSms:
        given: dict[str, Any] = {
            "base_url": f"{running.url}/sms",
            "region": "ap-guangzhou",
            "secret_id": city.ids["sms_secret_id"],
            "secret_key": city.secret("sms_secret_key"),
            "app_id": city.ids["sms_app_id"],
            "signature": city.ids["sms_signature"],
            "template_ids": city.ids["sms_templates"],
            "clock": clock,
        }
        return TencentSms(http, **{**given, **changes})

    yield Line(make, city, clock)
    await http.aclose()


def test_what_the_provider_approved_is_what_we_send() -> None:
    for code, template in templates.load().items():
        text = template.sms_text
        for place, name in enumerate(template.sms_params, start=1):
            text = text.replace(f"{{{name}}}", f"{{{place}}}")
        assert SMS_TEXTS.get(code, "") == text


async def test_a_text_message_arrives_and_its_receipt_says_so(line: Line) -> None:
    sent_at = line.clock.now()
    serial = await line.send()
    (shown,) = await line.shown()
    assert shown["serial"] == serial
    assert shown["text"].startswith("【一窗演示】您的不动产登记（编号20261121-320114-000001）应缴登记费80.00元")
    assert shown["context"] == "d1"
    assert P1.name not in shown["text"]
    for _ in range(2):
        report = await line.make().report(address=TEXT.address, receipt=serial, sent_at=sent_at)
        assert report == Report(received=True)


async def test_a_message_that_did_not_arrive_says_why(line: Line) -> None:
    await line.city.control("POST", "/sms/outcome", person="P1", outcome="undelivered")
    serial = await line.send()
    report = await line.make().report(address=TEXT.address, receipt=serial, sent_at=line.clock.now())
    assert report == Report(received=False, reason="UNDELIV")


async def test_an_operator_that_says_nothing_yet_is_no_receipt(line: Line) -> None:
    await line.city.control("POST", "/sms/outcome", person="P1", outcome="silent")
    serial = await line.send()
    assert await line.make().report(address=TEXT.address, receipt=serial, sent_at=line.clock.now()) is None
    await line.city.control("POST", "/sms/report", serial=serial, report="EXPIRED")
    report = await line.make().report(address=TEXT.address, receipt=serial, sent_at=line.clock.now())
    assert report == Report(received=False, reason="EXPIRED")


async def test_who_unsubscribed_is_not_sent_anything(line: Line) -> None:
    await line.city.control("POST", "/sms/outcome", person="P1", outcome="unsubscribed")
    with pytest.raises(ConsentRefused):
        await line.send()
    assert await line.shown() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret_key": "wrong"}, "AuthFailure.SignatureFailure"),
        ({"secret_id": "AKIDother"}, "AuthFailure.SecretIdNotFound"),
        ({"app_id": "1"}, "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
        ({"signature": "别的"}, "FailedOperation.SignatureIncorrectOrUnapproved"),
        ({"template_ids": {"fee_due": "7"}}, "FailedOperation.TemplateIncorrectOrUnapproved"),
        ({"region": ""}, "MissingParameter"),
    ],
)
async def test_what_is_wrong_with_us_is_for_staff(line: Line, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(OutsideError) as caught:
        await line.make(**changes).send(TEXT)
    assert (caught.value.code, caught.value.permanent) == (code, True)
    assert await line.shown() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"fields": {"1": "x"}}, "FailedOperation.TemplateIncorrectOrUnapproved"),
        ({"fields": {"1": "https://x", "2": "1"}}, "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter"),
        ({"fields": {"1": "x\ny", "2": "1"}}, "FailedOperation.TemplateIncorrectOrUnapproved"),
        ({"address": "+86123"}, "InvalidParameterValue.IncorrectPhoneNumber"),
    ],
)
async def test_a_message_that_breaks_a_rule_is_refused(line: Line, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(OutsideError) as caught:
        await line.send(**changes)
    assert (caught.value.code, caught.value.permanent) == (code, True)


async def test_a_clock_that_is_wrong_is_told_apart(line: Line) -> None:
    late = FixedClock(line.clock.now() - timedelta(minutes=10))
    with pytest.raises(OutsideError) as caught:
        await line.make(clock=late).send(TEXT)
    assert (caught.value.code, caught.value.permanent) == ("AuthFailure.SignatureExpire", False)


@pytest.mark.parametrize(
    ("order", "code", "permanent"),
    [
        ({"kind": "status", "status": 503}, "HTTP_503", False),
        (
            {"kind": "status", "code": "LimitExceeded.PhoneNumberOneHourLimit"},
            "LimitExceeded.PhoneNumberOneHourLimit",
            False,
        ),
        (
            {"kind": "status", "code": "FailedOperation.ContainSensitiveWord"},
            "FailedOperation.ContainSensitiveWord",
            True,
        ),
        ({"kind": "status", "code": "Surprise.NobodyKnows"}, "Surprise.NobodyKnows", True),
        ({"kind": "drop"}, "UNREACHABLE", False),
        ({"kind": "drop", "after": True}, "UNREACHABLE", False),
    ],
)
async def test_a_provider_in_trouble(
    line: Line, fault: Callable[..., Any], order: dict[str, Any], code: str, *, permanent: bool
) -> None:
    await fault("sms.send", **order)
    with pytest.raises(OutsideError) as caught:
        await line.send()
    assert (caught.value.code, caught.value.permanent) == (code, permanent)
    assert len(await line.shown()) == (1 if order.get("after") else 0)


async def test_the_configuration_can_be_tried(line: Line) -> None:
    await line.make().check_connection()
    assert line.make().check_config() == []
    with pytest.raises(OutsideError):
        await line.make(secret_key="wrong").check_connection()
    flaws = line.make(base_url="http://sms.example", template_ids={"nope": "1", "payment_settled": "2"}).check_config()
    assert len(flaws) == 3
    assert line.make().agreement("fee_due") is Agreement.NONE
    assert line.make().template_id("payment_settled") is None


def test_every_documented_code_means_something() -> None:
    assert set(DOCUMENTED) <= REFUSALS.keys()
    assert REFUSALS["FailedOperation.PhoneNumberInBlacklist"] is Refusal.NO_CONSENT


async def test_nothing_sent_shows_in_an_error(line: Line) -> None:
    with pytest.raises(OutsideError) as caught:
        await line.send(fields={"1": "x"})
    assert P1.phone not in str(caught.value)
