"""WeChat's login and phone number, at its server API."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kit.errors import OutsideError, Problem
from kit.wallets.wechat.errors import SYSTEM, WechatError
from kit.wallets.wechat.transport import WechatApi
from server.identity.errors import LoginBlocked, LoginCodeRejected, PhoneCodeRejected
from server.identity.ports import PhoneProof, WalletIdentity

# Bad or expired code, no code, used code. A code that belongs to somebody else is answered as a wrong openid.
_BAD_CODE = frozenset({40029, 41008, 40163})
_WRONG_PERSON = 40003
_BLOCKED = 40226
_LONGEST_CODE = 128
_SECRET_CHARACTERS = 32


@contextmanager
def _translated(rejected: type[Problem], *, codes: frozenset[int]) -> Iterator[None]:
    """WeChat's refusals of a code as problems of ours; every other stays the OutsideError it is."""
    try:
        yield
    except WechatError as error:
        if error.errcode in codes:
            raise rejected from None
        if error.errcode == _BLOCKED:
            raise LoginBlocked from None
        raise


class WechatLogin:
    """Redeems what `wx.login` gave the phone (`sns/jscode2session`)."""

    def __init__(self, api: WechatApi, *, app_id: str, secret: str) -> None:
        self._api = api
        self._app_id = app_id
        self._secret = secret

    def check_config(self) -> list[str]:
        flaws = [] if self._app_id.startswith("wx") else [f"{self._app_id} is no mini-program: its id begins with wx"]
        if len(self._secret) != _SECRET_CHARACTERS:
            flaws.append(f"the app's secret has {_SECRET_CHARACTERS} characters, not {len(self._secret)}")
        return flaws

    async def check_connection(self) -> None:
        """Fetch an access token: id and secret are right, and this machine's address is on WeChat's list."""
        await self._api.check_connection()

    async def exchange(self, code: str) -> WalletIdentity:
        if not code or len(code) > _LONGEST_CODE:
            raise LoginCodeRejected
        asked = {
            "appid": self._app_id,
            "secret": self._secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        with _translated(LoginCodeRejected, codes=_BAD_CODE):
            answer = await self._api.get("sns/jscode2session", params=asked, with_token=False)
        return WalletIdentity(
            wallet="wechat",
            app_id=self._app_id,
            openid=_text(answer, "openid"),
            union_id=answer.get("unionid") or None,
            session_key=_text(answer, "session_key"),
        )


class WechatPhoneNumbers:
    """Redeems what the phone number component gave the phone (`wxa/business/getuserphonenumber`)."""

    def __init__(self, api: WechatApi, *, app_id: str) -> None:
        self._api = api
        self._app_id = app_id

    async def number(self, proof: PhoneProof, openid: str) -> str:
        code = proof.code
        if not code or len(code) > _LONGEST_CODE:
            raise PhoneCodeRejected
        with _translated(PhoneCodeRejected, codes=_BAD_CODE | {_WRONG_PERSON}):
            answer = await self._api.post_json("wxa/business/getuserphonenumber", {"code": code, "openid": openid})
        info = answer.get("phone_info")
        if not isinstance(info, dict):
            raise _bad_answer("phone_info")
        watermark = info.get("watermark")
        if not isinstance(watermark, dict) or watermark.get("appid") != self._app_id:
            raise _bad_answer("watermark")
        country, number = _text(info, "countryCode"), _text(info, "purePhoneNumber")
        return number if country == "86" else f"+{country}{number}"


def _text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise _bad_answer(name)
    return value


def _bad_answer(name: str) -> OutsideError:
    return OutsideError(SYSTEM, "BAD_ANSWER", f"no usable {name} in the answer", permanent=False)
