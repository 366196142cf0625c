"""Phones that lose their connection in the middle of a request."""

import json
import random
import socket
import struct
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.demo import cast

_THREADS = 10
_LONGEST_WAIT_SECONDS = 0.08
_PATIENCE_SECONDS = 60.0
# Closing resets the connection at once, as a phone's radio does.
_RESET = struct.pack("ii", 1, 0)
_CREATED = b"HTTP/1.1 201"


@dataclass(frozen=True)
class _Plan:
    """Bytes to send, and the seconds until the connection breaks; None: once the answer has begun."""

    sent: bytes
    seconds: float | None
    opens: bool
    """Whether it is a whole request for a new draft."""


def hang_up(base_url: str, *, token: str, draft: str, times: int) -> range:
    """Send `times` requests, whole or cut off anywhere, and close each connection; how many drafts that may open.

    A tenth of the whole ones breaks only when the answer has begun: some are done, however slow the machine.
    """
    dice = random.Random("hang up")  # noqa: S311 - seeded, so that a failure can be repeated
    plans = [_plan(dice, token=token, draft=draft) for _ in range(times)]
    with ThreadPoolExecutor(_THREADS) as phones:
        list(phones.map(lambda each: _send(base_url, each), plans))
    opening = [each for each in plans if each.opens]
    return range(sum(each.seconds is None for each in opening), len(opening) + 1)


def _plan(dice: random.Random, *, token: str, draft: str) -> _Plan:
    form, applications = json.dumps(cast.application(), ensure_ascii=False).encode(), "/api/v1/applications"
    request = dice.choice(
        [
            lambda: _request("POST", applications, form, "application/json", token),
            lambda: _request("POST", f"{draft}/confirmation-request", b"{}", "application/json", token),
            lambda: _request("POST", f"{draft}/materials/M08/files", b"%PDF-1.7\n" + bytes(60_000), _PDF, token),
            lambda: _request("GET", draft, b"", "application/json", token),
        ]
    )()
    seconds = dice.uniform(0, _LONGEST_WAIT_SECONDS)
    if dice.random() >= 0.7:
        return _Plan(request[: dice.randrange(1, len(request))], seconds, opens=False)
    opens = request.startswith(f"POST {applications} ".encode())
    return _Plan(request, seconds if dice.random() < 0.9 else None, opens)


_PDF = "application/pdf"


def _request(method: str, path: str, body: bytes, mime: str, token: str) -> bytes:
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        f"Content-Type: {mime}",
        f"Content-Length: {len(body)}",
        f"Idempotency-Key: {uuid.uuid4().hex}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def _send(base_url: str, plan: _Plan) -> None:
    parts = urlsplit(base_url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=_PATIENCE_SECONDS) as phone:
        phone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        phone.sendall(plan.sent)
        if plan.seconds is not None:
            time.sleep(plan.seconds)
            return
        begun = phone.recv(len(_CREATED), socket.MSG_WAITALL)
        assert not plan.opens or begun == _CREATED, begun
