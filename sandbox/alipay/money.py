"""Amounts: Alipay writes yuan with two decimals, the sandbox counts fen."""

import re

_YUAN = re.compile(r"(0|[1-9]\d{0,8})(?:\.(\d{1,2}))?")
MOST_FEN = 10_000_000_000  # 100000000.00


def fen(text: object) -> int | None:
    """The fen of "88.88" (as text or a JSON number), or None unless it is between 0.01 and 100000000."""
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return None
    parts = _YUAN.fullmatch(str(text))
    if parts is None:
        return None
    amount = int(parts[1]) * 100 + int((parts[2] or "").ljust(2, "0"))
    return amount if 1 <= amount <= MOST_FEN else None


def yuan(amount: int) -> str:
    """Two decimals always, negative ones with their sign."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02}"
