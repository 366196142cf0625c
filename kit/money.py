"""Money is a whole number of fen; yuan exist only as text for people and for other systems."""

import re
from decimal import Decimal

_YUAN = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_FEN_PER_YUAN = 100


def yuan(fen: int) -> str:
    """Write fen as yuan with two decimals: 8000 -> "80.00"."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), _FEN_PER_YUAN)
    return f"{sign}{whole}.{rest:02d}"


def from_yuan(text: str) -> int:
    """Read yuan as fen, exactly; ValueError for anything but plain digits or for a fraction of a fen."""
    if not _YUAN.fullmatch(text):
        raise ValueError("not an amount in yuan")
    fen = Decimal(text) * _FEN_PER_YUAN
    if fen != fen.to_integral_value():
        raise ValueError("an amount has no fractions of a fen")
    return int(fen)
