"""Identifiers: UUIDv7 as 32 lower-case hex characters, made before the row is inserted."""

import os
import re
import threading
import time

_PATTERN = re.compile(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")
_NS_PER_MS = 1_000_000
_RAND_B_BITS = 62
_guard = threading.Lock()
_last_tick = 0


def new_id() -> str:
    """Make the next identifier; within one process each is greater than the one before.

    RFC 9562 section 6.2 method 3: the 12 bits of rand_a carry the fraction of the millisecond. Always real
    time, never the movable clock of test mode: ids must not run backwards when that clock is moved.
    """
    tick = _next_tick()
    rand_b = int.from_bytes(os.urandom(8), "big") >> (64 - _RAND_B_BITS)
    value = (tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << _RAND_B_BITS | rand_b
    return f"{value:032x}"


def is_id(text: str) -> bool:
    """Tell whether `text` has the form that `new_id` gives."""
    return _PATTERN.fullmatch(text) is not None


def _next_tick() -> int:
    """Milliseconds and their fraction in 4096ths, as one number that only ever grows."""
    global _last_tick  # noqa: PLW0603 - one monotonic counter per process is what the method asks for
    milliseconds, rest = divmod(time.time_ns(), _NS_PER_MS)
    tick = milliseconds << 12 | (rest << 12) // _NS_PER_MS
    with _guard:
        _last_tick = max(tick, _last_tick + 1)
        return _last_tick
