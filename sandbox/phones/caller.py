"""A client of the product's HTTP interface: one per phone or desk, every call noted in the journey."""

import time
import uuid
from typing import Any

import httpx

from sandbox.phones.journey import Journey, NotAsItShould

_TIMEOUT_SECONDS = 30.0
_PROBLEM = "application/problem+json"


class Caller:
    """Calls `base_url` as `who`; carries the session's token once there is one."""

    def __init__(self, base_url: str, journey: Journey, who: str) -> None:
        self.who = who
        self.token: str | None = None
        self._journey = journey
        # Connections are not kept: a phone's radio sleeps between taps, and a server may restart meanwhile.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.Client(base_url=base_url, timeout=_TIMEOUT_SECONDS, trust_env=False, limits=limits)

    def close(self) -> None:
        self._http.close()

    def get(self, name: str, path: str, **more: Any) -> Any:
        return self.ask(name, "GET", path, **more).json()

    def post(self, name: str, path: str, body: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.ask(name, "POST", path, json={} if body is None else body, **more).json()

    def put(self, name: str, path: str, body: dict[str, Any], **more: Any) -> Any:
        return self.ask(name, "PUT", path, json=body, **more).json()

    def ask(
        self, name: str, method: str, path: str, *, expect: int | tuple[int, ...] = (200, 201), **more: Any
    ) -> httpx.Response:
        """One call; NotAsItShould when the status is none of `expect`."""
        headers = {"X-Request-Id": uuid.uuid4().hex, **more.pop("headers", {})}
        if method == "POST":
            headers.setdefault("Idempotency-Key", uuid.uuid4().hex)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        start = time.monotonic()
        try:
            answer = self._http.request(method, path, headers=headers, **more)
        except httpx.HTTPError as error:
            raise NotAsItShould(f"{self.who} {name}: {method} {path}: {type(error).__name__} {error}") from error
        ms = (time.monotonic() - start) * 1000
        problem = answer.json() if answer.headers.get("content-type", "").startswith(_PROBLEM) else {}
        self._journey.note(
            name=f"{self.who}: {name}",
            method=method,
            path=answer.url.path,
            status=answer.status_code,
            code=problem.get("code"),
            ms=ms,
        )
        if answer.status_code not in ((expect,) if isinstance(expect, int) else expect):
            said = _explained(problem) if problem else answer.text[:300]
            raise NotAsItShould(
                f"{self.who} {name}: {method} {answer.url.path} answered {answer.status_code}, not {expect}: {said}"
            )
        return answer


def _explained(problem: dict[str, Any]) -> str:
    parts = [str(problem.get("code")), str(problem.get("detail") or problem.get("title"))]
    parts += [f"{each['field']}: {each['message']}" for each in problem.get("errors", [])]
    return "; ".join([*parts, f"request {problem.get('request_id')}"])
