"""One request and its answer: faults strike here, answers are signed here, and both are written down."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from sanic import HTTPResponse, Request

from sandbox.answers import Answer, Refused
from sandbox.books import Books
from sandbox.clock import Clock
from sandbox.faults import STALE_SECONDS, Fault, Faults, Kind

Handler = Callable[[Request], Answer]
# (request, body, spoil) -> headers; `spoil` asks for a signature that must not verify.
Signer = Callable[[Request, bytes, bool], dict[str, str]]
# The same for partners that sign inside the body: the answer as it goes out.
Envelope = Callable[[Request, Answer, bool], Answer]
MadeUp = Callable[[Request, Fault], Answer]

_PAY_CODES = {429: "FREQUENCY_LIMITED", 500: "SYSTEM_ERROR"}
_WECHAT_BUSY = -1


@dataclass(frozen=True, slots=True)
class Exchange:
    """Wraps a partner's handler into a Sanic one."""

    faults: Faults
    books: Books
    clock: Clock

    def wrap(self, target: str, handler: Handler, signer: Signer | None = None) -> Callable[..., Any]:
        return self.wrap_gateway(
            lambda _: target, handler, signer=signer, made_up=lambda _, fault: _made_up(target, fault)
        )

    def wrap_gateway(
        self,
        target_of: Callable[[Request], str],
        handler: Handler,
        *,
        made_up: MadeUp,
        signer: Signer | None = None,
        envelope: Envelope | None = None,
    ) -> Callable[..., Any]:
        """For one address behind which there are many interfaces: the request says which fault it may meet."""

        async def serve(request: Request, **_: str) -> HTTPResponse:
            target = target_of(request)
            fault = self.faults.take(target)
            kind = fault.kind if fault else None
            if fault and kind is Kind.DELAY:
                await asyncio.sleep(fault.seconds)
            if fault and kind is Kind.DROP and not fault.after:
                return await self._hang_up(request, target, None)
            answer = made_up(request, fault) if fault and kind is Kind.STATUS else _answer(handler, request)
            if kind is Kind.DROP:
                return await self._hang_up(request, target, answer)
            raw = answer.raw()
            spoil = kind is Kind.WRONG_SIGNATURE
            with self.clock.behind(fault.seconds or STALE_SECONDS if fault and kind is Kind.STALE_CLOCK else 0):
                headers = signer(request, raw, spoil) if signer else {}
            self._write_down(request, target, answer.status, raw, kind)
            sent = envelope(request, answer, spoil) if envelope else answer
            return HTTPResponse(sent.raw(), sent.status, headers, sent.media_type)

        return serve

    async def _hang_up(self, request: Request, target: str, lost: Answer | None) -> HTTPResponse:
        self._write_down(request, target, None, lost.raw() if lost else b"", Kind.DROP)
        if request.transport is not None:
            cast("asyncio.Transport", request.transport).abort()
        # The server cancels this task once the connection is gone; nothing after it is ever sent.
        await asyncio.sleep(1)
        return HTTPResponse(status=503)

    def _write_down(self, request: Request, target: str, status: int | None, raw: bytes, fault: Kind | None) -> None:
        entry = {
            "target": target,
            "method": request.method,
            "path": request.path,  # without the query: it carries the app secret and access tokens
            "status": status,
            "request": _readable(request.body),
            "answer": _readable(raw),
            "fault": fault,
        }
        self.books.write("requests", entry)


def _answer(handler: Handler, request: Request) -> Answer:
    try:
        return handler(request)
    except Refused as refused:
        return refused.answer


def _made_up(target: str, fault: Fault) -> Answer:
    """The partner's own shape of "something is wrong with me"."""
    if target.startswith("wechat."):
        return Answer(
            fault.status, {"errcode": _WECHAT_BUSY if fault.code is None else fault.code, "errmsg": "system error"}
        )
    code = fault.code or _PAY_CODES.get(fault.status, "SYSTEM_ERROR")
    return Answer(fault.status, {"code": code, "message": "系统繁忙，请稍后再试"})


def _readable(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode("utf-8", "replace")
