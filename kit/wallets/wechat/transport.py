"""Calling WeChat's server API."""

from collections.abc import Mapping
from typing import Any

from kit.wallets.transport import Http, base_url, compact_json, send
from kit.wallets.wechat.answers import checked, errcode, read
from kit.wallets.wechat.errors import SYSTEM, TOKEN_REFUSED
from kit.wallets.wechat.token import StableToken


class WechatApi:
    """Sends a call with the access token, once more with a new token if the first was refused.

    Every failure is an OutsideError (WechatError where WeChat gave an errcode), and none carries the URL: the
    token travels in its query.
    """

    def __init__(self, http: Http, base: str, token: StableToken) -> None:
        self._http = http
        self._base = base_url(base)
        self._tokens = token

    async def check_connection(self) -> None:
        """Fetch an access token, or raise why there is none."""
        await self._tokens.get()

    async def get(
        self, path: str, *, params: Mapping[str, str] | None = None, with_token: bool = True
    ) -> dict[str, Any]:
        """GET `path` ("sns/..."); `with_token=False` for the calls that carry the app's secret instead."""
        if not with_token:
            return checked(await self._once("GET", path, dict(params or {}), None))
        return await self._with_token("GET", path, params, None)

    async def post_json(
        self, path: str, body: Mapping[str, Any], *, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """POST `body` as JSON to `path` and return the answer, whose errcode is 0 or absent."""
        return await self._with_token("POST", path, params, compact_json(dict(body)))

    async def _with_token(
        self, method: str, path: str, params: Mapping[str, str] | None, content: bytes | None
    ) -> dict[str, Any]:
        answer = await self._sent(method, path, params, content)
        if errcode(answer) in TOKEN_REFUSED:
            answer = await self._sent(method, path, params, content)
        return checked(answer)

    async def _sent(
        self, method: str, path: str, params: Mapping[str, str] | None, content: bytes | None
    ) -> dict[str, Any]:
        token = await self._tokens.get()
        answer = await self._once(method, path, {**(params or {}), "access_token": token}, content)
        if errcode(answer) in TOKEN_REFUSED:
            self._tokens.invalidate(token)
        return answer

    async def _once(self, method: str, path: str, params: Mapping[str, str], content: bytes | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} if content is not None else {}
        url = f"{self._base}/{path.lstrip('/')}"
        return read(await send(self._http, SYSTEM, method, url, content=content, headers=headers, params=params))
