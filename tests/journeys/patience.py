"""Phones and desks as they are: a request without an answer is sent again, under the same Idempotency-Key."""

import contextlib
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import httpx
import pyotp

from sandbox.phones.alipay_phone import AlipayPhone
from sandbox.phones.caller import Caller
from sandbox.phones.clerk import Clerk
from sandbox.phones.journey import Journey, NotAsItShould
from sandbox.phones.officer import STAFF, Desk, Officer
from sandbox.phones.phone import API, Phone

_PATIENCE_SECONDS = 120.0
# What a claim of a process that died waits for until it is taken over, and a little.
_CLAIM_SECONDS = 61.0
# One-time codes are good once: the next comes with the next half minute.
_CODE_SECONDS = 30.0
_RUNNING = 409
Disturbance = Callable[[str, str], AbstractContextManager[None]]


def lost_on_its_way() -> NotAsItShould:
    """What a phone sees when its connection breaks before the answer is through."""
    error = NotAsItShould("the answer was lost on its way")
    error.__cause__ = httpx.ReadError("the connection broke")
    return error


class PatientCaller(Caller):
    """Repeats what got no answer; `disturb(method, path)` is around the first sending of a call, `then` after it."""

    def __init__(
        self,
        base_url: str,
        journey: Journey,
        who: str,
        *,
        await_server: Callable[[], None],
        pass_time: Callable[[float], None],
    ) -> None:
        super().__init__(base_url, journey, who)
        self.lost: list[str] = []
        self.disturb: Disturbance = lambda _method, _path: contextlib.nullcontext()
        self.then: Callable[[str, str], None] = lambda _method, _path: None
        self._await_server = await_server
        self._pass_time = pass_time

    def ask(
        self, name: str, method: str, path: str, *, expect: int | tuple[int, ...] = (200, 201), **more: Any
    ) -> httpx.Response:
        headers = {**more.pop("headers", {})}
        if method == "POST":
            headers.setdefault("Idempotency-Key", uuid.uuid4().hex)
        wanted = (expect,) if isinstance(expect, int) else expect
        answer: httpx.Response | None = None
        try:
            with self.disturb(method, path):
                answer = super().ask(name, method, path, expect=(*wanted, _RUNNING), headers=headers, **more)
        except NotAsItShould as error:
            answer = None  # it may have been given, and lost on its way
            self._note_lost(error, method, path)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while answer is None or _still_running(answer):
            if time.monotonic() > deadline:
                raise NotAsItShould(f"{self.who} {name}: no answer, however often it is asked")
            self._before_again(answer)
            answer = self._again(name, method, path, (*wanted, _RUNNING), headers, more)
        if answer.status_code not in wanted:
            raise NotAsItShould(f"{self.who} {name}: {method} {path} answered {answer.status_code}: {answer.text}")
        self.then(method, path)
        return answer

    def _again(
        self, name: str, method: str, path: str, expect: tuple[int, ...], headers: dict[str, str], more: dict[str, Any]
    ) -> httpx.Response | None:
        try:
            return super().ask(f"{name}, again", method, path, expect=expect, headers=headers, **more)
        except NotAsItShould as error:
            self._note_lost(error, method, path)
            return None

    def _before_again(self, answer: httpx.Response | None) -> None:
        if answer is None:
            self._await_server()
        else:
            self._pass_time(_CLAIM_SECONDS)

    def _note_lost(self, error: NotAsItShould, method: str, path: str) -> None:
        if not isinstance(error.__cause__, httpx.HTTPError):
            raise error
        self.lost.append(f"{method} {path}")


def _renewing(calls: Caller, attempt: Callable[[], dict[str, Any]], renew: Callable[[], None]) -> dict[str, Any]:
    """Try once more with a new code after each lost call: a code refused otherwise is an error of ours."""
    while True:
        before = _lost(calls)
        try:
            return attempt()
        except NotAsItShould:
            if _lost(calls) == before:
                raise
        renew()


def _lost(calls: Caller) -> int:
    return len(calls.lost) if isinstance(calls, PatientCaller) else 0


@dataclass(slots=True)
class PatientPhone(Phone):
    """Takes a new code from WeChat when the one before was used up by a call that died."""

    def log_in(self) -> None:
        def attempt() -> dict[str, Any]:
            code = self.outside.do("/wx/login", person=self.person.key)["code"]
            found: dict[str, Any] = self.calls.post(
                "log in with a wx.login code", f"{API}/sessions/wechat", {"code": code}, expect=201
            )
            return found

        self.calls.token = _renewing(self.calls, attempt, lambda: None)["token"]

    def bind_phone(self) -> None:
        def attempt() -> dict[str, Any]:
            code = self.outside.do("/wx/phone", person=self.person.key)["code"]
            found: dict[str, Any] = self.calls.post("bind the phone number", f"{API}/me/phone", {"code": code})
            return found

        _renewing(self.calls, attempt, lambda: None)


@dataclass(slots=True)
class PatientAlipayPhone(AlipayPhone):
    """Takes a new code from Alipay when the one before was used up by a call that died."""

    def log_in(self) -> None:
        def attempt() -> dict[str, Any]:
            code = self.outside.do("/alipay/login", person=self.person.key)["code"]
            found: dict[str, Any] = self.calls.post(
                "log in with a my.getAuthCode code", f"{API}/sessions/alipay", {"code": code}, expect=201
            )
            return found

        self.calls.token = _renewing(self.calls, attempt, lambda: None)["token"]


@dataclass(frozen=True, slots=True)
class Watch:
    """An authenticator's clock, `offset()` seconds ahead of the machine's; `pass_time` moves the whole city's."""

    offset: Callable[[], float]
    pass_time: Callable[[float], None]


@dataclass(slots=True)
class PatientDesk(Desk):
    """Has an authenticator that goes by the city's clock."""

    watch: Watch

    def sign_in(self) -> None:
        _sign_in(self, self.watch)


@dataclass(slots=True)
class PatientOfficer(Officer):
    """The same at the registry."""

    watch: Watch

    def sign_in(self) -> None:
        _sign_in(self, self.watch)


@dataclass(slots=True)
class PatientClerk(Clerk):
    """The same at the platform's counter."""

    watch: Watch

    def sign_in(self) -> None:
        _sign_in(self, self.watch)


def _sign_in(desk: Desk, watch: Watch) -> None:
    """Once: a second call keeps the session."""
    if desk.calls.token:
        return

    def attempt() -> dict[str, Any]:
        device = pyotp.parse_uri(desk.totp_uri)
        if not isinstance(device, pyotp.TOTP):
            raise TypeError("the second factor is not a time-based code")
        code = device.at(time.time() + watch.offset())
        wanted = {"username": desk.username, "password": desk.password, "totp": code}
        found: dict[str, Any] = desk.calls.post("sign in", f"{STAFF}/sessions", wanted, expect=201)
        return found

    desk.calls.token = _renewing(desk.calls, attempt, lambda: watch.pass_time(_CODE_SECONDS))["token"]


def _still_running(answer: httpx.Response) -> bool:
    return answer.status_code == _RUNNING and answer.json().get("code") == "STILL_RUNNING"
