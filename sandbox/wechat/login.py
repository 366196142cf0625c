"""GET /sns/jscode2session and POST /wxa/business/getuserphonenumber, with the codes that phones are given."""

import secrets
from base64 import b64encode
from dataclasses import dataclass

from sanic import Request

from sandbox.answers import Answer, read_object
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.people import People, Person
from sandbox.wechat.refusals import accepted, refuse
from sandbox.wechat.tokens import Tokens

CODE_SECONDS = 300


@dataclass(slots=True)
class _Code:
    openid: str
    expires_at: int
    used: bool = False


class Login:
    def __init__(self, *, keys: Keys, clock: Clock, people: People, tokens: Tokens) -> None:
        self._keys = keys
        self._clock = clock
        self._people = people
        self._tokens = tokens
        self._login_codes: dict[str, _Code] = {}
        self._phone_codes: dict[str, _Code] = {}

    def give_login_code(self, person: Person) -> str:
        """What `wx.login` gives the phone: good once, for 5 minutes."""
        return self._give(self._login_codes, person)

    def give_phone_code(self, person: Person) -> str:
        """What the phone number component gives the phone: good once, for 5 minutes."""
        return self._give(self._phone_codes, person)

    def jscode2session(self, request: Request) -> Answer:
        self._tokens.check_client(request.args.get("appid"), request.args.get("secret"))
        if request.args.get("grant_type") != "authorization_code":
            raise refuse(40002)
        code = request.args.get("js_code")
        if not code:
            raise refuse(41008)
        openid = self._redeem(self._login_codes, code, when_used=40163)
        session_key = b64encode(secrets.token_bytes(16)).decode()
        return Answer(200, {"openid": openid, "session_key": session_key})

    def phone_number(self, request: Request) -> Answer:
        self._tokens.check(request)
        asked = read_object(request)
        if asked is None:
            raise refuse(47001)
        code = asked.get("code")
        if not isinstance(code, str):
            raise refuse(41008)
        openid = self._redeem(self._phone_codes, code, when_used=40029, expected=asked.get("openid"))
        person = self._people.by_openid(openid)
        if person is None:
            raise refuse(40003)
        watermark = {"timestamp": self._clock.timestamp(), "appid": self._keys.app_id}
        phone = {
            "phoneNumber": person.phone,
            "purePhoneNumber": person.phone,
            "countryCode": "86",
            "watermark": watermark,
        }
        return accepted(phone_info=phone)

    def _give(self, codes: dict[str, _Code], person: Person) -> str:
        code = secrets.token_hex(16)
        codes[code] = _Code(person.openid, self._clock.timestamp() + CODE_SECONDS)
        return code

    def _redeem(self, codes: dict[str, _Code], text: str, *, when_used: int, expected: object = None) -> str:
        code = codes.get(text)
        if code is None or code.expires_at <= self._clock.timestamp():
            raise refuse(40029)
        if code.used:
            raise refuse(when_used)
        if expected is not None and expected != code.openid:
            raise refuse(40003)
        code.used = True
        return code.openid
