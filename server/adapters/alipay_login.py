"""Alipay's login at its gateway, and its phone number, which the phone brings sealed and signed."""

import re
from typing import Any

from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kit.errors import OutsideError
from kit.log import get_logger
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.content import BadContentError, open_phone
from kit.wallets.alipay.errors import SYSTEM, AlipayError, Meaning
from server.identity.errors import LoginCodeRejected, PhoneCodeRejected
from server.identity.ports import PhoneProof, WalletIdentity

WALLET = "alipay"
_ANSWERS = "alipay_system_oauth_token_response"
_APP_ID = re.compile(r"20[0-9]{14}", re.ASCII)
_LONGEST_CODE = 128
log = get_logger("alipay_login")


class AlipayLogin:
    """Redeems what `my.getAuthCode` gave the phone (`alipay.system.oauth.token`)."""

    def __init__(self, api: AlipayApi) -> None:
        self._api = api

    def check_config(self) -> list[str]:
        app_id = self._api.app_id
        return [] if _APP_ID.fullmatch(app_id) else [f"{app_id} is no app id: it has 16 digits and begins with 20"]

    async def check_connection(self) -> None:
        """Ask with a code that cannot be one: to refuse that, the gateway must have taken app, signature and time."""
        try:
            await self._token("0")
        except AlipayError as error:
            if error.meaning is not Meaning.CODE_REFUSED:
                raise

    async def exchange(self, code: str) -> WalletIdentity:
        if not code or len(code) > _LONGEST_CODE:
            raise LoginCodeRejected
        try:
            answer = await self._token(code)
        except AlipayError as error:
            if error.meaning is Meaning.CODE_REFUSED:
                raise LoginCodeRejected from None
            raise
        open_id, user_id = _text(answer, "open_id"), _text(answer, "user_id")
        openid = open_id or user_id
        if openid is None:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "neither open_id nor user_id in the answer", permanent=False)
        return WalletIdentity(
            wallet=WALLET,
            app_id=self._api.app_id,
            openid=openid,
            union_id=_text(answer, "union_id"),
            user_id=user_id,
        )

    async def _token(self, code: str) -> dict[str, Any]:
        request = AlipaySystemOauthTokenRequest()
        request.grant_type, request.code = "authorization_code", code
        return await self._api.call(request, answers=_ANSWERS)


class AlipayPhoneNumbers:
    """Opens what `my.getPhoneNumber` gave the phone; needs no network.

    The proof is Alipay's word for a number, not for whose it is: see docs/threats.md.
    """

    def __init__(self, public_key: RSAPublicKey, aes_key: bytes) -> None:
        self._public_key = public_key
        self._aes_key = aes_key

    async def number(self, proof: PhoneProof, openid: str) -> str:  # noqa: ARG002 - nothing in the proof names anyone
        if not proof.response or not proof.sign:
            raise PhoneCodeRejected
        try:
            return open_phone(proof.response, proof.sign, self._public_key, self._aes_key)
        except BadContentError as error:
            log.warning("phone_proof_refused", reason=error.reason)
            raise PhoneCodeRejected from None


def _text(answer: dict[str, Any], name: str) -> str | None:
    value = answer.get(name)
    return value if isinstance(value, str) and value else None
