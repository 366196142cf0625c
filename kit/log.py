"""Log lines: one JSON object each, with the request id, and with nothing in them about a person."""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final, TextIO, cast

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

REMOVED: Final = "[removed]"

_request_id: ContextVar[str] = ContextVar("request_id", default="")

# Removed whatever their value is, because no pattern tells a name or an address from other words.
_DENIED_KEYS = frozenset(
    {"name", "nickname", "id_number", "id_no", "account", "account_number", "bank_account", "card_number"}
    | {"body", "payload", "content", "plaintext", "headers", "query_string", "form", "js_code", "input"}
)
# Removed in any key that has one of these among its words (`access_token`, `phone_number`).
_DENIED_WORDS = frozenset(
    {"phone", "mobile", "address", "token", "secret", "password", "openid", "unionid", "authorization"}
    | {"cookie", "idcard", "resident_name", "captcha"}
)
# `party_name` is a person's, these are not.
_PLAIN_NAMES = frozenset({"event_name", "handler_name", "table_name", "host_name", "logger_name"})
_OURS = frozenset({"timestamp", "level", "logger"})

_EDGE_L, _EDGE_R = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"input_value=.*?(?=, input_type=)", re.DOTALL), f"input_value={REMOVED}"),
    # The mapper, of a value that does not fit its column.
    (re.compile(r"\bLength of '.*' (?=[0-9]+ [<>])", re.DOTALL), f"Length of {REMOVED} "),
    (re.compile(_EDGE_L + r"[0-9]{17}[0-9Xx]" + _EDGE_R), REMOVED),
    (re.compile(_EDGE_L + r"[0-9]{15}" + _EDGE_R), REMOVED),
    (re.compile(_EDGE_L + r"(?:\+?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}" + _EDGE_R), REMOVED),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"), rf"\1 {REMOVED}"),
    (
        re.compile(r"(?i)\b([a-z_]*(?:token|secret|password|openid|code|phone|name))=[^&\s\"',)]+"),
        rf"\1={REMOVED}",
    ),
    # Session tokens (256 bits as base64url), JWTs, WeChat openids.
    (re.compile(r"(?<![\w.-])[A-Za-z0-9_-]{43}(?![\w-])"), REMOVED),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+"), REMOVED),
    (re.compile(r"(?<![\w-])o(?=[\w-]*[A-Z])[A-Za-z0-9_-]{27}(?![\w-])"), REMOVED),
)
_SHORTEST = 8  # no pattern matches less
_LARGEST_PLAIN_INT = 10**10  # from 11 digits on, a number may be a phone or an ID number
_DEEPEST = 5


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log line of this process, the libraries' too, as JSON to `stream` (stdout by default)."""
    number = logging.getLevelNamesMapping()[level.upper()]
    out = stream if stream is not None else sys.stdout
    structlog.configure(
        processors=[_complete, _scrub, _render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    # Any other handler would write the records as they are.
    root.handlers[:] = [_Bridge(out)]
    root.setLevel(number)
    _tame_libraries(number)


def get_logger(name: str) -> FilteringBoundLogger:
    """Give a logger that follows `configure`, also when made before it."""
    return cast("FilteringBoundLogger", structlog.get_logger(logger_name=name))


def current_request_id() -> str:
    """Give the id bound by `request_scope` or `set_request_id`; empty outside of any."""
    return _request_id.get()


def set_request_id(request_id: str) -> None:
    """Bind for the rest of the current task; where there is an end to it, use `request_scope`."""
    _request_id.set(request_id)


@contextmanager
def request_scope(request_id: str) -> Iterator[None]:
    """Bind the request id to every line written inside."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


def scrub(text: str) -> str:
    """Take out of a text whatever looks like an ID number, a phone number or a credential."""
    if len(text) < _SHORTEST:
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give a copy that is fit for a log line: without personal data, of types that JSON has."""
    return {key: _clean(key, value) for key, value in values.items()}


def _complete(_: Any, method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """Put the fixed members first and the exception, if any, into a form without values."""
    exc_info = event.pop("exc_info", None)
    line: dict[str, Any] = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": event.pop("level", method),
        "logger": event.pop("logger_name", ""),
        "event": event.pop("event", ""),
    }
    if request_id := _request_id.get():
        line["request_id"] = request_id
    line.update(event)
    if error := _error_of(exc_info):
        line["exception"] = _described(error)
    return line


def _scrub(_: Any, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    return {key: value if key in _OURS else _clean(key, value) for key, value in event.items()}


def _render(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, option=orjson.OPT_NON_STR_KEYS).decode()


def _clean(key: str, value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - one answer for each kind
    if value is None or isinstance(value, bool | float):
        return value
    if _denied(key):
        return REMOVED
    if isinstance(value, Enum):
        return _clean(key, value.value, depth)
    if isinstance(value, str | Path):
        return scrub(str(value))
    if isinstance(value, int):
        return value if abs(value) < _LARGEST_PLAIN_INT or scrub(str(value)) == str(value) else REMOVED
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, BaseException):
        return _clean(key, _described(value), depth)
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {scrub(str(k)): _clean(str(k), v, depth + 1) for k, v in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_clean(key, item, depth + 1) for item in value]
    # The text of any other object may hold anything: only its type is told.
    return f"<{type(value).__name__}>"


def _denied(key: str) -> bool:
    low = key.lower().replace("-", "_")
    if low in _DENIED_KEYS or not _DENIED_WORDS.isdisjoint(low.split("_")):
        return True
    return low.endswith("_name") and low not in _PLAIN_NAMES


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return cast("BaseException | None", exc_info[1])
    return sys.exc_info()[1] if exc_info else None


def _described(error: BaseException, depth: int = 0) -> dict[str, Any]:
    """Type, scrubbed message and places in the code; never a local variable's value or a line of source."""
    walked = traceback.walk_tb(error.__traceback__)
    frames = [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in walked]
    kind = type(error)
    found: dict[str, Any] = {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "message": scrub(str(error)),
        "frames": frames,
    }
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < _DEEPEST:
        found["cause"] = _described(cause, depth + 1)
    if isinstance(error, BaseExceptionGroup) and depth < _DEEPEST:
        found["members"] = [_described(member, depth + 1) for member in error.exceptions]
    return found


class _Bridge(logging.Handler):
    """Takes the libraries' records through the same steps."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(record)
        except Exception:  # noqa: BLE001 - a line that cannot be written must not stop the work
            self.handleError(record)

    def _write(self, record: logging.LogRecord) -> None:
        event = {"event": record.getMessage(), "logger_name": record.name, "exc_info": record.exc_info}
        line = _complete(None, record.levelname.lower(), event)
        self._stream.write(_render(None, "", _scrub(None, "", line)) + "\n")
        self._stream.flush()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the library calls it so
        """Say so without the record: the library's way prints its arguments."""
        self._stream.write('{"level":"error","event":"a log line could not be written"}\n')


def _tame_libraries(level: int) -> None:
    """Let all records come to the root, and keep quiet what writes URLs or statements with their values."""
    for name, floor in (
        ("httpx", logging.WARNING),
        ("httpcore", logging.WARNING),
        ("tortoise", logging.INFO),
        ("aiosqlite", logging.INFO),
        ("asyncio", logging.INFO),
        ("sanic.root", logging.WARNING),
    ):
        logging.getLogger(name).setLevel(max(level, floor))
    for name in ("sanic", "sanic.root", "sanic.error", "sanic.access", "sanic.server", "sanic.websockets"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
