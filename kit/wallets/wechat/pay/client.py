"""Signed requests to WeChat Pay v3, verified answers."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from kit.clock import Clock
from kit.errors import OutsideError
from kit.wallets.errors import KeyProblemError
from kit.wallets.transport import Downloading, Http, base_url, compact_json, json_object, send
from kit.wallets.wechat.pay.errors import SYSTEM, refusal
from kit.wallets.wechat.pay.keys import PlatformKeys
from kit.wallets.wechat.pay.signing import MerchantSigner, UnverifiedError, verify

# Only what no client and no proxy writes differently: the signature covers the path as it is on the wire.
_PATH = re.compile(r"/v3(?:/[0-9A-Za-z_-]+)+")
_NUMBER = re.compile(r"[0-9A-Za-z_]{6,32}")
_DOWNLOAD = re.compile(r"(?:/[0-9A-Za-z_-]+)+(?:\?[0-9A-Za-z_.~=&%-]*)?")


def checked_number(text: str) -> str:
    """Return a merchant's own number if both wallets take it and paths carry it unchanged; raise ValueError.

    6 to 32 of 0-9, A-Z, a-z and _: of the further ones that WeChat allows, `|` breaks a path's signature.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError("a merchant's number has 6 to 32 of the characters 0-9 A-Z a-z _")
    return text


class PayTransport:
    """Sends to one merchant's WeChat Pay. `key_id` names the platform key that answers are to be signed with.

    Why this is not wechatpayv3's client: docs/decisions/0011-wechat-pay-client.md.
    """

    def __init__(
        self, http: Http, base: str, *, signer: MerchantSigner, keys: PlatformKeys, key_id: str, clock: Clock
    ) -> None:
        if key_id not in keys:
            raise KeyProblemError("the platform key that answers are signed with is not among the trusted ones")
        self._http = http
        self._base = base_url(base)
        self._prefix = urlsplit(self._base).path
        self._signer = signer
        self._keys = keys
        self._key_id = key_id
        self._clock = clock

    async def get(self, path: str, *, params: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        """GET; return status and JSON of a verified 2xx answer, `{}` when it has no content."""
        query = urlencode(dict(params or {}), quote_via=quote, safe="")
        return await self._request("GET", path, query, None)

    async def download(self, http: Downloading, url: str, *, most_bytes: int) -> bytes:
        """GET a file that a verified answer named, signed as any request. The answer itself carries no signature.

        Its digest is the caller's to check. Only an address of this very platform is followed: with it goes our
        merchant's signature. Raises OutsideError, permanent FOREIGN_ADDRESS for any other.
        """
        target = self._own_target(url)
        if target is None:
            raise OutsideError(SYSTEM, "FOREIGN_ADDRESS", "a file's address is not the platform's", permanent=True)
        status, content = await http.download(
            f"{self._base.removesuffix(self._prefix)}{target}",
            most_bytes=most_bytes,
            headers=self._headers("GET", target, None) | {"Accept": "*/*"},
        )
        answer = httpx.Response(status, content=content)
        if not answer.is_success:
            raise refusal(answer)
        return content

    def _own_target(self, url: str) -> str | None:
        """Path and query of an address of ours, as they will be sent; None for an address of somebody else's."""
        origin = self._base.removesuffix(self._prefix)
        target = url.removeprefix(origin)
        return target if target != url and _DOWNLOAD.fullmatch(target) else None

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """POST `body` as JSON; return status and JSON of a verified 2xx answer, `{}` when it has no content.

        Raises OutsideError. TIMEOUT, UNREACHABLE and BAD_SIGNATURE leave open whether the platform acted: ask
        again under the same number. Answers outside 2xx are not always signed, so their code is no proof that
        money did not move.
        """
        return await self._request("POST", path, "", compact_json(dict(body)))

    async def _request(self, method: str, path: str, query: str, content: bytes | None) -> tuple[int, dict[str, Any]]:
        if not _PATH.fullmatch(path):
            raise ValueError("a path that cannot be signed as it will be sent")
        target = f"{self._prefix}{path}{'?' + query if query else ''}"
        response = await send(
            self._http,
            SYSTEM,
            method,
            f"{self._base.removesuffix(self._prefix)}{target}",
            content=content,
            headers=self._headers(method, target, content),
        )
        if not response.is_success:
            raise refusal(response)
        return response.status_code, self._verified(response)

    def _headers(self, method: str, target: str, content: bytes | None) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            "Authorization": self._signer.authorization(method, target, (content or b"").decode()),
            "User-Agent": "yichuang",  # the platform refuses requests without one
            "Wechatpay-Serial": self._key_id,
        }
        if content is not None:
            headers["Content-Type"] = "application/json"
        return headers

    def _verified(self, response: httpx.Response) -> dict[str, Any]:
        try:
            verify(self._keys, response.headers, response.content, self._clock)
        except UnverifiedError as error:
            raise OutsideError(SYSTEM, "BAD_SIGNATURE", f"unverified answer: {error.reason}", permanent=False) from None
        if not response.content:
            return {}
        answer = json_object(response.content)
        if answer is None:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "the answer is no JSON object", permanent=False)
        return answer
