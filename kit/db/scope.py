"""The one filter that keeps a staff query inside the districts its asker may see."""

from collections.abc import Collection
from typing import Any


def within(districts: Collection[str] | None, *, column: str = "district") -> tuple[str, list[Any]]:
    """An SQL condition and its values for rows of `districts`; None means every district, empty means no row."""
    if districts is None:
        return "1 = 1", []
    if not districts:
        return "1 = 0", []
    marks = ", ".join("?" for _ in districts)
    return f"{column} IN ({marks})", sorted(districts)
