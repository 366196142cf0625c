"""The access token of WeChat's server API."""

import asyncio
from datetime import datetime, timedelta

from kit.clock import Clock
from kit.errors import OutsideError
from kit.wallets.transport import Http, base_url, compact_json, send
from kit.wallets.wechat.answers import checked, read
from kit.wallets.wechat.errors import SYSTEM

_RENEW_EARLY = 300  # seconds; the platform hands out the next token that much before the old one ends
_LEAST_USE = 60  # seconds
_FORCE_EVERY = timedelta(seconds=30)  # the platform's own rule, with 20 a day


class StableToken:
    """Keeps one access token from `cgi-bin/stable_token`, fetched by one caller while the others wait.

    wechatpy fetches from `cgi-bin/token`, where every fetch ends the token that other processes still use; it
    answers a refused token by fetching and repeating without limit, and has no timeout and no lock. Here the
    normal mode is asked first, as it returns the same token to every process; only when that very token was
    refused is a new one forced, at most every 30 seconds. `get` raises OutsideError.
    """

    def __init__(self, http: Http, base: str, app_id: str, secret: str, clock: Clock) -> None:
        self._http = http
        self._url = f"{base_url(base)}/cgi-bin/stable_token"
        self._app_id = app_id
        self._secret = secret
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: str | None = None
        self._refused: str | None = None
        self._until: datetime | None = None
        self._forced_at: datetime | None = None
        self._failure: OutsideError | None = None

    async def get(self) -> str:
        """Return a token that is good for at least the next minutes."""
        if token := self._kept():
            return token
        failure_seen = self._failure
        async with self._lock:
            if token := self._kept():
                return token
            # Those who waited for a fetch that failed share its failure: each would wait for its own timeout.
            if (failure := self._failure) is not None and failure is not failure_seen:
                raise OutsideError(SYSTEM, failure.code, failure.message, permanent=failure.permanent)
            return await self._renew()

    def invalidate(self, token: str) -> None:
        """Forget a token that the platform refused; without effect if it has been replaced already."""
        if token == self._token:
            self._token = None
            self._refused = token

    def _kept(self) -> str | None:
        if self._until is None or self._clock.now() >= self._until:
            return None
        return self._token

    async def _renew(self) -> str:
        try:
            token, seconds = await self._fetch(force=False)
            if token == self._refused:
                token, seconds = await self._force()
        except OutsideError as error:
            self._failure = error
            raise
        self._failure = None
        self._token = token
        self._until = self._clock.now() + timedelta(seconds=seconds)
        return token

    async def _force(self) -> tuple[str, float]:
        now = self._clock.now()
        if self._forced_at is not None and now - self._forced_at < _FORCE_EVERY:
            raise OutsideError(SYSTEM, "TOKEN_REFUSED", "the token is refused and was just forced", permanent=False)
        self._forced_at = now
        return await self._fetch(force=True)

    async def _fetch(self, *, force: bool) -> tuple[str, float]:
        asked = {
            "grant_type": "client_credential",
            "appid": self._app_id,
            "secret": self._secret,
            "force_refresh": force,
        }
        response = await send(
            self._http,
            SYSTEM,
            "POST",
            self._url,
            content=compact_json(asked),
            headers={"Content-Type": "application/json"},
        )
        answer = checked(read(response))
        token, lives = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lives, int) or lives <= 0:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "no token in the answer", permanent=False)
        return token, max(lives - _RENEW_EARLY, min(lives, _LEAST_USE))
