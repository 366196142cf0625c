"""What a partner answers: a status and a JSON body, the same bytes for signing and for the wire."""

import json
from dataclasses import dataclass
from typing import Any

from sanic import Request


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` None means that nothing is sent (204); `content` is sent as it is, a file or a page."""

    status: int
    body: dict[str, Any] | None
    content: bytes | None = None
    media_type: str = "application/json; charset=utf-8"

    def raw(self) -> bytes:
        if self.content is not None:
            return self.content
        return b"" if self.body is None else compact(self.body)


class Refused(Exception):
    """Raised by an endpoint to answer at once."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.answer = Answer(status, body)


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def read_object(request: Request) -> dict[str, Any] | None:
    """The request's body as a JSON object, or None when it is none."""
    try:
        value = json.loads(request.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
