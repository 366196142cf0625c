"""Phones that lose their connection in the middle of a request."""

import json
import random
import socket
import struct
import threading
import time
import uuid
from urllib.parse import urlsplit

from sandbox.demo import cast

_THREADS = 10
_LONGEST_WAIT_SECONDS = 0.08
# Closing resets the connection at once, as a phone's radio does.
_RESET = struct.pack("ii", 1, 0)


def hang_up(base_url: str, *, token: str, draft: str, times: int) -> None:
    """Send `times` requests, whole or cut off anywhere, and close each connection without reading an answer."""
    dice = random.Random("hang up")  # noqa: S311 - seeded, so that a failure can be repeated
    plans = [_plan(dice, token=token, draft=draft) for _ in range(times)]
    threads = [threading.Thread(target=_send_all, args=(base_url, plans[each::_THREADS])) for each in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _plan(dice: random.Random, *, token: str, draft: str) -> tuple[bytes, float]:
    """Bytes to send, and the seconds to wait before the connection breaks."""
    form = json.dumps(cast.application(), ensure_ascii=False).encode()
    request = dice.choice(
        [
            lambda: _request("POST", "/api/v1/applications", form, "application/json", token),
            lambda: _request("POST", f"{draft}/confirmation-request", b"{}", "application/json", token),
            lambda: _request("POST", f"{draft}/materials/M08/files", b"%PDF-1.7\n" + bytes(60_000), _PDF, token),
            lambda: _request("GET", draft, b"", "application/json", token),
        ]
    )()
    whole = dice.random() < 0.7
    sent = request if whole else request[: dice.randrange(1, len(request))]
    return sent, dice.uniform(0, _LONGEST_WAIT_SECONDS)


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


def _send_all(base_url: str, plans: list[tuple[bytes, float]]) -> None:
    parts = urlsplit(base_url)
    for sent, wait in plans:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as phone:
            phone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            phone.sendall(sent)
            time.sleep(wait)
