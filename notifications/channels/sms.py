"""Text messages over Tencent Cloud SMS (API 2021-01-11): SendSms, and asking what became of one.

What is sent is a template approved by the provider and its parameters in order; signature and template are theirs to
check. PullSmsSendStatusByPhoneNumber answers the same however often it is asked, for some days.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from kit.clock import Clock
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.http.hosts import address_flaws
from kit.log import get_logger
from notifications import templates
from notifications.channels.refusal import Refusal
from notifications.channels.sms_codes import REFUSALS
from notifications.channels.tc3 import authorization
from notifications.ports import ConsentRefused, Outgoing, Report
from notifications.rules import Agreement

SYSTEM = "sms"
_SERVICE = "sms"
_VERSION = "2021-01-11"
_CONTENT_TYPE = "application/json; charset=utf-8"
_MOST_REPORTS = 100
# The provider's clock need not be ours.
_MARGIN = timedelta(minutes=5)
_HTTP_OK = 200
log = get_logger("notifications")


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _Error(_Wire):
    Code: str


class _Status(_Wire):
    Code: str
    SerialNo: str = ""


class _Report(_Wire):
    SerialNo: str
    ReportStatus: str
    Description: str = ""


class _Answer(_Wire):
    Error: _Error | None = None
    SendStatusSet: list[_Status] = []
    PullSmsSendStatusSet: list[_Report] = []


class _Envelope(_Wire):
    Response: _Answer


class TencentSms:
    """Implements `Channel` and `Receipts`; `template_ids`: our template code -> the provider's number of it."""

    def __init__(
        self,
        http: HttpClient,
        *,
        base_url: str,
        region: str,
        secret_id: str,
        secret_key: str,
        app_id: str,
        signature: str,
        template_ids: Mapping[str, str],
        clock: Clock,
    ) -> None:
        self._http, self._url, self._region = http, base_url, region
        self._secret_id, self._secret_key = secret_id, secret_key
        self._app_id, self._signature = app_id, signature
        self._template_ids = dict(template_ids)
        self._clock = clock

    def check_config(self) -> list[str]:
        shipped = templates.load()
        unknown = [name for name in self._template_ids if name not in shipped]
        wordless = [name for name, each in shipped.items() if name in self._template_ids and not each.sms_text]
        return [
            *address_flaws("the text message provider's address", self._url),
            *(f"{name} is no template of ours" for name in sorted(unknown)),
            *(f"{name} has no text for text messages" for name in sorted(wordless)),
        ]

    def template_id(self, template: str) -> str | None:
        return self._template_ids.get(template)

    def agreement(self, template: str) -> Agreement:  # noqa: ARG002 - the same for all
        """Telling a party about their own case needs no subscription; who unsubscribed is refused by the provider."""
        return Agreement.NONE

    async def send(self, message: Outgoing) -> str:
        """Send one text message and answer its serial number."""
        answer = await self._call(
            "SendSms",
            {
                "PhoneNumberSet": [message.address],
                "SmsSdkAppId": self._app_id,
                "SignName": self._signature,
                "TemplateId": self._template_ids[message.template],
                "TemplateParamSet": list(message.fields.values()),
                "SessionContext": message.reference,
            },
        )
        if len(answer.SendStatusSet) != 1:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "not one status for one number", permanent=False)
        status = answer.SendStatusSet[0]
        if status.Code != "Ok":
            raise _refused(status.Code)
        return status.SerialNo

    async def report(self, *, address: str, receipt: str, sent_at: datetime) -> Report | None:
        """What the operator said of the message with this serial number; None while it has said nothing."""
        answer = await self._call(
            "PullSmsSendStatusByPhoneNumber",
            {
                "SmsSdkAppId": self._app_id,
                "PhoneNumber": address,
                "BeginTime": int((sent_at - _MARGIN).timestamp()),
                "EndTime": int((self._clock.now() + _MARGIN).timestamp()),
                "Offset": 0,
                "Limit": _MOST_REPORTS,
            },
        )
        for each in answer.PullSmsSendStatusSet:
            if each.SerialNo == receipt:
                received = each.ReportStatus == "SUCCESS"
                return Report(received, None if received else (each.Description or each.ReportStatus))
        return None

    async def check_connection(self) -> None:
        """Ask what became of messages to nobody's number: whether address, keys and app fit together."""
        await self.report(address="+8610000000000", receipt="", sent_at=self._clock.now())

    async def _call(self, action: str, asked: Mapping[str, Any]) -> _Answer:
        body, now = orjson.dumps(asked), self._clock.now()
        headers = {
            "Content-Type": _CONTENT_TYPE,
            "X-TC-Action": action,
            "X-TC-Version": _VERSION,
            "X-TC-Region": self._region,
            "X-TC-Timestamp": str(int(now.timestamp())),
            "Authorization": authorization(
                secret_id=self._secret_id,
                secret_key=self._secret_key,
                service=_SERVICE,
                host=urlsplit(self._url).netloc,
                content_type=_CONTENT_TYPE,
                action=action,
                body=body,
                at=now,
            ),
        }
        answer = await self._http.request("POST", self._url, content=body, headers=headers)
        if answer.status_code != _HTTP_OK:
            raise OutsideError(SYSTEM, f"HTTP_{answer.status_code}", "refused by HTTP status", permanent=False)
        try:
            read = _Envelope.model_validate_json(answer.content).Response
        except ValidationError:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "the answer cannot be read", permanent=False) from None
        if read.Error is not None:
            raise _refused(read.Error.Code)
        return read


def _refused(code: str) -> Exception:
    refusal = REFUSALS.get(code)
    if refusal is None:
        log.warning("sms_code_unmapped", error_code=code[:64])
        refusal = Refusal.FOR_GOOD
    if refusal is Refusal.NO_CONSENT:
        return ConsentRefused()
    return OutsideError(SYSTEM, code[:64], "refused", permanent=refusal is Refusal.FOR_GOOD)
