"""The two families of errors: what a caller did (Problem) and what an outside system did (OutsideError)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar


class Kind(Enum):
    """What a problem means to HTTP; the value is the status code."""

    UNREADABLE = 400
    NO_SESSION = 401
    FORBIDDEN = 403
    ABSENT = 404
    STATE = 409
    STALE = 412
    TOO_LARGE = 413
    MEDIA_TYPE = 415
    CONTENT = 422
    TOO_MANY = 429
    OUTSIDE_DOWN = 503
    OUTSIDE_SLOW = 504


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its dotted path, a stable code and a Chinese sentence."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """A refusal that its caller can act on: stable `code`, `kind`, Chinese `title` and `detail`.

    Features subclass it once per error; `docs/errors.md` is generated from the subclasses.
    """

    code: ClassVar[str] = "PROBLEM"
    kind: ClassVar[Kind] = Kind.STATE
    title: ClassVar[str] = "无法完成"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """`retry_after` in seconds; `extra` holds further members of the document, free of personal data."""
        super().__init__(self.code)
        self.detail = detail if detail is not None else self.title
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.extra = dict(extra or {})


class OutsideError(Exception):
    """An outside system refused or did not answer; `permanent` says that repeating will not help.

    `message` is for operators and logs, so it never holds personal data.
    """

    def __init__(self, system: str, code: str, message: str, *, permanent: bool) -> None:
        super().__init__(f"{system}: {code}: {message}")
        self.system = system
        self.code = code
        self.message = message
        self.permanent = permanent


class Permanent(Exception):
    """Raised by a handler whose event can never succeed: the row is parked for staff."""
