"""Tencent Cloud SMS: SendSms, PullSmsSendStatusByPhoneNumber, and the operator that delivers or does not."""

import re
import secrets
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from sanic import Request

from sandbox.answers import Answer, read_object
from sandbox.books import Books
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.faults import Fault
from sandbox.sms.tc3 import signature_fault
from sandbox.templates import SMS_TEXTS

VERSION = "2021-01-11"
Outcome = Literal["delivered", "undelivered", "silent", "unsubscribed"]
_PHONE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
_PARAM = re.compile(r"\{(\d+)\}")
_URL = re.compile(r"https?://|www\.")
_MOST_PHONES, _MOST_REPORTS, _LONGEST_TEXT, _LONGEST_CONTEXT = 200, 100, 500, 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One message on its way; `report` is what the operator said of it, `reported_at` when (unix seconds)."""

    serial: str
    phone: str
    template: str
    params: list[str]
    text: str
    context: str
    at: int
    report: str | None
    reported_at: int | None


class SmsCloud:
    def __init__(self, *, keys: Keys, clock: Clock, books: Books) -> None:
        self._keys, self._clock, self._books = keys, clock, books
        self._names = {template_id: name for name, template_id in keys.sms_templates.items()}
        self._outcomes: dict[str, Outcome] = {}
        self._sent: list[Sent] = []
        for entry in books.read("sms"):
            self._put(Sent(**entry["message"]))

    def target(self, request: Request) -> str:
        """Which fault a request may meet."""
        return "sms.send" if request.headers.get("x-tc-action") == "SendSms" else "sms.status"

    def made_up(self, _request: Request, fault: Fault) -> Answer:
        """The provider says that something is wrong: its errors come with status 200."""
        return _refusal(str(fault.code or "InternalError.Timeout"), status=200 if fault.code else fault.status)

    def serve(self, request: Request) -> Answer:
        """POST / with X-TC-Action."""
        fault = signature_fault(
            request,
            secret_id=self._keys.sms_secret_id,
            secret_key=self._keys.sms_secret_key,
            service="sms",
            now=self._clock.timestamp(),
        )
        if fault is not None:
            return _refusal(fault)
        if request.headers.get("x-tc-version") != VERSION:
            return _refusal("NoSuchVersion")
        if not request.headers.get("x-tc-region"):
            return _refusal("MissingParameter")
        asked = read_object(request)
        if asked is None:
            return _refusal("InvalidParameter")
        if asked.get("SmsSdkAppId") != self._keys.sms_app_id:
            return _refusal("UnauthorizedOperation.SmsSdkAppIdVerifyFail")
        match request.headers.get("x-tc-action"):
            case "SendSms":
                return self._send(asked)
            case "PullSmsSendStatusByPhoneNumber":
                return self._pull(asked)
            case _:
                return _refusal("InvalidAction")

    def sent_to(self, phone: str | None) -> list[dict[str, Any]]:
        """Messages in the order sent, to one phone or (None) to all."""
        return [asdict(each) for each in self._sent if phone in {None, each.phone}]

    def set_outcome(self, phone: str, outcome: Outcome) -> None:
        """What becomes of the messages to this phone from now on."""
        self._outcomes[phone] = outcome

    def report(self, serial: str, said: str) -> bool:
        """The operator reports late; False for a message that there is not."""
        known = next((each for each in self._sent if each.serial == serial), None)
        if known is None:
            return False
        self._keep(replace(known, report=said, reported_at=self._clock.timestamp()))
        return True

    def _send(self, asked: dict[str, Any]) -> Answer:
        phones, params = asked.get("PhoneNumberSet"), asked.get("TemplateParamSet") or []
        if not isinstance(phones, list) or not phones:
            return _refusal("MissingParameter.EmptyPhoneNumberSet")
        if len(phones) > _MOST_PHONES:
            return _refusal("LimitExceeded.PhoneNumberCountLimit")
        context = asked.get("SessionContext", "")
        if not isinstance(context, str) or len(context) >= _LONGEST_CONTEXT or not isinstance(params, list):
            return _refusal("InvalidParameterValue")
        statuses = [self._send_one(str(phone), asked, [str(each) for each in params], context) for phone in phones]
        return _answer({"SendStatusSet": statuses})

    def _send_one(self, phone: str, asked: dict[str, Any], params: list[str], context: str) -> dict[str, Any]:
        found = _PHONE.fullmatch(phone)
        fault = "InvalidParameterValue.IncorrectPhoneNumber" if found is None else self._content_fault(asked, params)
        if found is not None and self._outcomes.get(found[1]) == "unsubscribed":
            fault = "FailedOperation.PhoneNumberInBlacklist"
        status = {"PhoneNumber": phone, "SessionContext": context, "IsoCode": "CN"}
        if found is None or fault is not None:
            return {**status, "SerialNo": "", "Fee": 0, "Code": fault, "Message": "refused"}
        name = self._names[str(asked["TemplateId"])]
        message = self._message(found[1], name, params, context)
        self._keep(message)
        return {**status, "SerialNo": message.serial, "Fee": 1, "Code": "Ok", "Message": "send success"}

    def _content_fault(self, asked: dict[str, Any], params: list[str]) -> str | None:
        if asked.get("SignName") != self._keys.sms_signature:
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        name = self._names.get(str(asked.get("TemplateId")))
        if name is None or len(set(_PARAM.findall(SMS_TEXTS[name]))) != len(params):
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        if any(_URL.search(each) for each in params):
            return "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter"
        if any(not each.strip() or "\n" in each for each in params):
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        if len(_filled(name, params)) > _LONGEST_TEXT:
            return "InvalidParameterValue.ContentLengthLimit"
        return None

    def _message(self, phone: str, name: str, params: list[str], context: str) -> Sent:
        now, outcome = self._clock.timestamp(), self._outcomes.get(phone, "delivered")
        report = {"delivered": "DELIVRD", "undelivered": "UNDELIV"}.get(outcome)
        return Sent(
            serial=f"14:{now}{secrets.token_hex(12)}",
            phone=phone,
            template=name,
            params=params,
            text=f"【{self._keys.sms_signature}】{_filled(name, params)}",
            context=context,
            at=now,
            report=report,
            reported_at=now if report else None,
        )

    def _pull(self, asked: dict[str, Any]) -> Answer:
        found = _PHONE.fullmatch(str(asked.get("PhoneNumber")))
        begin, end, limit = asked.get("BeginTime"), asked.get("EndTime"), asked.get("Limit")
        if found is None and not str(asked.get("PhoneNumber")).startswith("+86"):
            return _refusal("InvalidParameterValue.IncorrectPhoneNumber")
        if not isinstance(begin, int) or not isinstance(end, int) or begin > end:
            return _refusal("InvalidParameterValue.BeginTimeVerifyFail")
        if not isinstance(limit, int) or not 1 <= limit <= _MOST_REPORTS or asked.get("Offset") != 0:
            return _refusal("InvalidParameterValue.LimitVerifyFail")
        phone = found[1] if found else ""
        reported = [each for each in self._sent if each.phone == phone and each.reported_at is not None]
        within = [each for each in reported if begin <= (each.reported_at or 0) <= end]
        return _answer({"PullSmsSendStatusSet": [_report(each) for each in within[:limit]]})

    def _keep(self, message: Sent) -> None:
        self._put(message)
        self._books.write("sms", {"message": asdict(message)})

    def _put(self, message: Sent) -> None:
        place = next((at for at, each in enumerate(self._sent) if each.serial == message.serial), None)
        if place is None:
            self._sent.append(message)
        else:
            self._sent[place] = message


def _filled(name: str, params: list[str]) -> str:
    return _PARAM.sub(lambda found: params[int(found[1]) - 1], SMS_TEXTS[name])


def _report(message: Sent) -> dict[str, Any]:
    return {
        "UserReceiveTime": message.reported_at,
        "CountryCode": "86",
        "SubscriberNumber": message.phone,
        "PhoneNumber": f"+86{message.phone}",
        "SerialNo": message.serial,
        "ReportStatus": "SUCCESS" if message.report == "DELIVRD" else "FAIL",
        "Description": message.report,
        "SessionContext": message.context,
    }


def _answer(content: dict[str, Any]) -> Answer:
    return Answer(200, {"Response": {**content, "RequestId": secrets.token_hex(16)}})


def _refusal(code: str, *, status: int = 200) -> Answer:
    refused = {"Error": {"Code": code, "Message": "refused"}, "RequestId": secrets.token_hex(16)}
    return Answer(status, {"Response": refused})
