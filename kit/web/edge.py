"""The edge: the one place where a request's access, rate, key and input are checked before a handler sees it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sanic import Request

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.idempotency.errors import IdempotencyKeyMissing
from kit.idempotency.service import Outcome, RequestKey, new_key, once
from kit.web.access import Access, Authenticator, Principal
from kit.web.errors import (
    BodyTooLarge,
    LevelTooLow,
    PermissionMissing,
    SessionMissing,
    VersionMissing,
    WrongMediaType,
)
from kit.web.limits import RateLimits

I = TypeVar("I")  # noqa: E741 - the input of a call
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
DISCARDED_BYTES = 32 * 1024 * 1024
_IF_MATCH = re.compile(r'"([0-9]{1,9})"')


@dataclass(frozen=True, slots=True)
class Edge:
    """What every route needs to let a request in; built by wiring and handed to each blueprint."""

    authenticators: Mapping[str, Authenticator]
    limits: RateLimits
    cipher: Cipher
    clock: Clock

    async def admit(self, request: Request, access: Access) -> Principal:
        """The caller, if the route's declaration lets them in; SESSION_MISSING, LEVEL_TOO_LOW, PERMISSION_MISSING."""
        if access.who == "public":
            return Principal("public")
        if access.who == "callback":
            return Principal("callback", id=access.system or "")
        principal = await self.authenticators[access.who](request)
        if principal is None:
            raise SessionMissing
        if principal.level < access.level:
            raise LevelTooLow(extra={"required_level": access.level})
        if access.permission is not None and access.permission not in principal.permissions:
            raise PermissionMissing
        return principal


@dataclass(slots=True)
class Call(Generic[I]):
    """One admitted request: who calls, and `input` as the route's model."""

    request: Request
    edge: Edge
    route: str
    who: Principal
    input: I
    status: int
    keyed: RequestKey | None = None

    @property
    def key(self) -> RequestKey:
        """The request's idempotency key; only on routes that require one."""
        if self.keyed is None:
            raise IdempotencyKeyMissing
        return self.keyed

    async def once(self, command: Callable[[RequestKey], Awaitable[str]], *, calls_outside: bool = False) -> str:
        """Carry `command` out once under the request's key and answer the id of what it made."""
        outcome: Outcome = await once(self.key, command, status=self.status, calls_outside=calls_outside)
        self.status = outcome.status
        return outcome.result_id

    def sent(self, digest: str) -> None:
        """Bind the key to a streamed body by its `digest`, since the edge has seen its length and kind only."""
        content = f"{self.key.digest}\n{digest}".encode()
        bound = self.edge.cipher.digest_keyed(content, purpose="idempotency")
        self.keyed = replace(self.key, digest=bound)

    def if_match(self) -> int:
        """The version the caller edited; VERSION_MISSING without `If-Match: "<version>"`."""
        match = _IF_MATCH.fullmatch(self.request.headers.get("if-match", ""))
        if match is None:
            raise VersionMissing
        return int(match.group(1))

    async def chunks(self, *, limit: int) -> AsyncIterator[bytes]:
        """The streamed body, counted, since Sanic enforces no size on streams; BODY_TOO_LARGE past `limit` bytes."""
        size = 0
        stream: Any = self.request.stream
        while True:
            chunk = await stream.read()
            if not chunk:
                return
            size += len(chunk)
            if size > limit:
                raise BodyTooLarge
            yield chunk


async def discard(request: Request) -> None:
    """Read what nobody read: a phone that is still sending sees a broken connection instead of the answer."""
    stream: Any = request.stream
    left = DISCARDED_BYTES
    while left > 0 and (chunk := await stream.read()):
        left -= len(chunk)


def request_key(edge: Edge, request: Request, route: str, who: Principal, raw: bytes) -> RequestKey:
    """The idempotency key of a request; the body is kept only as a keyed digest."""
    key = request.headers.get("idempotency-key", "")
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing
    # The address belongs to the content: the same key for another application's route is another request.
    address = f"{request.path}?{request.query_string}\n".encode()
    digest = edge.cipher.digest_keyed(address + raw, purpose="idempotency")
    return new_key(who=f"{who.who}:{who.id}", route=route, key=key, digest=digest, clock=edge.clock)


def json_body(request: Request) -> bytes:
    """The raw JSON body; WRONG_MEDIA_TYPE when it says to be something else."""
    content_type = (request.headers.get("content-type") or "").split(";")[0].strip().lower()
    if content_type != "application/json":
        raise WrongMediaType
    return request.body
