"""The same request twice is carried out once, also when the first answer was lost on the way."""

from kit.idempotency.service import RequestKey, once

__all__ = ["RequestKey", "once"]
