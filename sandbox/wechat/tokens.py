"""The interface token: POST /cgi-bin/stable_token, and who may call with which."""

import secrets
from dataclasses import dataclass

from sanic import Request

from sandbox.answers import Answer, read_object
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.wechat.refusals import refuse

LIFETIME_SECONDS = 7200
_EARLY_SECONDS = 300
_FORCED_PER_DAY = 20
_FORCED_APART_SECONDS = 30
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    expires_at: int


class Tokens:
    def __init__(self, *, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._current: _Token | None = None
        self._valid: dict[str, int] = {}
        self._expired: set[str] = set()
        self._forced_at: list[int] = []

    def stable_token(self, request: Request) -> Answer:
        """The same token while it is valid; a fresh one from 5 minutes before its end, the old one living on."""
        asked = read_object(request)
        if asked is None:
            raise refuse(47001)
        self.check_client(asked.get("appid"), asked.get("secret"))
        if asked.get("grant_type") != "client_credential":
            raise refuse(40002)
        token = self._forced() if asked.get("force_refresh") is True else self._normal()
        left = token.expires_at - self._clock.timestamp()
        return Answer(200, {"access_token": token.value, "expires_in": left})

    def check_client(self, app_id: object, secret: object) -> None:
        """Raises what WeChat answers to a wrong app id or secret."""
        if not app_id:
            raise refuse(41002)
        if not secret:
            raise refuse(41004)
        if app_id != self._keys.app_id:
            raise refuse(40013)
        if not secrets.compare_digest(str(secret).encode(), self._keys.app_secret.encode()):
            raise refuse(40125)

    def check(self, request: Request) -> None:
        """Raises unless the request's `access_token` works now."""
        value = request.args.get("access_token", "")
        if not value:
            raise refuse(41001)
        expires_at = self._valid.get(value)
        if value in self._expired or (expires_at is not None and expires_at <= self._clock.timestamp()):
            raise refuse(42001)
        if expires_at is None:
            raise refuse(40001)

    def forget(self) -> None:
        """Every token stops working at once, as when WeChat loses or revokes one."""
        self._valid.clear()
        self._current = None

    def _normal(self) -> _Token:
        now = self._clock.timestamp()
        if self._current is None or self._current.expires_at - now <= _EARLY_SECONDS:
            return self._issue()
        return self._current

    def _forced(self) -> _Token:
        now = self._clock.timestamp()
        self._forced_at = [at for at in self._forced_at if now - at < _DAY_SECONDS]
        if len(self._forced_at) >= _FORCED_PER_DAY:
            raise refuse(45009)
        if self._forced_at and now - self._forced_at[-1] < _FORCED_APART_SECONDS:
            raise refuse(45011)
        self._forced_at.append(now)
        self._valid.clear()
        return self._issue()

    def _issue(self) -> _Token:
        now = self._clock.timestamp()
        self._expired.update(value for value, end in self._valid.items() if end <= now)
        self._valid = {value: end for value, end in self._valid.items() if end > now}
        # Real tokens may grow to 512 characters; a long one finds the column that is too short.
        token = _Token(f"99_{secrets.token_urlsafe(240)}", now + LIFETIME_SECONDS)
        self._valid[token.value] = token.expires_at
        self._current = token
        return token
