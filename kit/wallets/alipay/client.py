"""Calling Alipay's gateway. What of its SDK is used and what not: docs/decisions/0013-alipay-sdk.md."""

from typing import Any, Protocol
from urllib.parse import urlencode

from alipay.aop.api.constant.ParamConstants import COMMON_PARAM_KEYS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kit.errors import OutsideError
from kit.wallets.alipay.answers import Member, UnreadableError, members
from kit.wallets.alipay.content import BadContentError, decrypt, encrypt
from kit.wallets.alipay.errors import BUSINESS, SUCCESS, SYSTEM, AlipayError
from kit.wallets.alipay.signing import AppSigner, verify
from kit.wallets.transport import Http, base_url, json_object, may_pass, send

_OK = 200
_COMMON = frozenset(COMMON_PARAM_KEYS)


class Request(Protocol):
    """A request class of alipay-sdk-python: knows its method and writes its model as JSON."""

    need_encrypt: bool

    def get_params(self) -> dict[str, Any]: ...


class AlipayApi:
    """Sends the SDK's request objects to one gateway, as one app, and believes only what is signed.

    `aes_key` encrypts the content of requests whose `need_encrypt` is set, and opens encrypted answers.
    """

    def __init__(
        self,
        http: Http,
        gateway_url: str,
        signer: AppSigner,
        public_key: RSAPublicKey,
        *,
        aes_key: bytes | None = None,
    ) -> None:
        self._http = http
        self._gateway = base_url(gateway_url)
        self._signer = signer
        self._public_key = public_key
        self._aes_key = aes_key

    @property
    def app_id(self) -> str:
        return self._signer.app_id

    async def call(self, request: Request, *, answers: str) -> dict[str, Any]:
        """POST the request; return the object named `answers` ("alipay_trade_query_response"), verified.

        Raises AlipayError for a refusal, OutsideError otherwise. TIMEOUT, UNREACHABLE, HTTP_5xx, BAD_SIGNATURE and
        BAD_ANSWER leave open whether the platform acted: query under the same number.
        """
        url, content = self._encoded(request)
        response = await send(
            self._http,
            SYSTEM,
            "POST",
            url,
            content=content.encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8", "Accept": "application/json"},
        )
        status = response.status_code
        if status != _OK:
            raise OutsideError(SYSTEM, f"HTTP_{status}", "refused by HTTP status", permanent=not may_pass(status))
        return self._answer(response.content, answers)

    def page_url(self, request: Request) -> str:
        """Build the signed URL that the phone opens; it carries the request, so it is good for its holder alone."""
        url, content = self._encoded(request)
        return f"{url}&{content}" if content else url

    def _encoded(self, request: Request) -> tuple[str, str]:
        """The gateway's URL with the common parameters, and the rest as a form."""
        signed = self._signer.signed(self._params(request))
        query = {name: value for name, value in signed.items() if name in _COMMON}
        form = {name: value for name, value in signed.items() if name not in _COMMON}
        return f"{self._gateway}?{urlencode(query)}", urlencode(form)

    def _params(self, request: Request) -> dict[str, str]:
        params = {name: str(value) for name, value in request.get_params().items()}
        if not request.need_encrypt:
            return params
        if self._aes_key is None:
            raise OutsideError(SYSTEM, "NOT_CONFIGURED", "this request needs the app's AES key", permanent=True)
        content = encrypt(self._aes_key, params.get("biz_content", "{}"))
        return {**params, "biz_content": content, "encrypt_type": "AES"}

    def _answer(self, body: bytes, name: str) -> dict[str, Any]:
        try:
            found = members(body)
        except UnreadableError as error:
            raise _bad_answer(str(error)) from None
        refused = found.get("error_response")
        if refused is not None:
            raise self._refusal(refused, signed=self._signed(refused, found.get("sign")))
        answer = found.get(name)
        if answer is None:
            raise _bad_answer(f"no {name} in the answer")
        signed = self._signed(answer, found.get("sign"))
        opened = self._opened(answer) if signed else answer
        if not isinstance(opened.value, dict) or opened.value.get("code", SUCCESS) != SUCCESS:
            raise self._refusal(opened, signed=signed)
        if not signed:
            raise _unverified("the answer is not signed")
        return opened.value

    def _signed(self, member: Member, sign: Member | None) -> bool:
        """Whether it is signed; a signature that is there and wrong is never taken for none."""
        if sign is None:
            return False
        if not isinstance(sign.value, str) or not verify(self._public_key, member.raw.encode(), sign.value):
            raise _unverified("the signature is not Alipay's")
        return True

    def _opened(self, member: Member) -> Member:
        if not isinstance(member.value, str):
            return member
        if self._aes_key is None:
            raise _bad_answer("the answer is encrypted and no AES key is configured")
        try:
            text = decrypt(self._aes_key, member.value)
        except BadContentError as error:
            raise _bad_answer(f"encrypted answer: {error.reason}") from None
        return Member(text, json_object(text.encode()))

    @staticmethod
    def _refusal(member: Member, *, signed: bool) -> OutsideError:
        """An unsigned refusal may tell that the gateway did not let us in, not what became of a trade."""
        answer = member.value if isinstance(member.value, dict) else {}
        code, sub_code = answer.get("code"), answer.get("sub_code")
        if not isinstance(code, str) or not code:
            return _bad_answer("neither an answer nor a refusal")
        error = AlipayError(
            code,
            sub_code if isinstance(sub_code, str) and sub_code else None,
            str(answer.get("sub_msg") or answer.get("msg") or "refused without a word"),
            signed=signed,
        )
        if not signed and (code in {SUCCESS, BUSINESS} or error.code.startswith("ACQ.")):
            return _unverified("a business answer that is not signed")
        return error


def _bad_answer(message: str) -> OutsideError:
    return OutsideError(SYSTEM, "BAD_ANSWER", message, permanent=False)


def _unverified(message: str) -> OutsideError:
    return OutsideError(SYSTEM, "BAD_SIGNATURE", message, permanent=False)
