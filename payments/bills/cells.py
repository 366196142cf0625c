"""Cells of a bill, by the name of their column; strict about money."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from itertools import pairwise

from kit.clock import SHANGHAI, local_date
from kit.money import from_yuan
from payments.bills.bill import BillLine, UnreadableBill

_LONGEST = 64
_MOST_FEN = 10**13  # a hundred billion yuan; 100,000 such lines still fit a row's sums


class Row:
    """One row under its header; `place` is what an error calls it, such as "line 3"."""

    def __init__(self, header: Sequence[str], cells: Sequence[str], place: str) -> None:
        if len(cells) != len(header):
            raise UnreadableBill(f"{place} has {len(cells)} cells under {len(header)} columns")
        self._cells = dict(zip(header, cells, strict=True))
        self.place = place

    def text(self, column: str) -> str:
        """A cell without outer blanks; UnreadableBill when the column is missing or the cell too long for a number."""
        value = self._cells.get(column)
        if value is None:
            raise UnreadableBill(f"there is no column {column}")
        value = value.strip()
        if len(value) > _LONGEST:
            raise UnreadableBill(f"{self.place}: {column} is too long")
        return value

    def optional(self, column: str) -> str:
        return self.text(column) if column in self._cells else ""

    def fen(self, column: str) -> int:
        """An amount in yuan as fen; an empty cell is no amount, and no zero either."""
        try:
            text = self.text(column)
            found = from_yuan(text[1:] if text[:1] == "+" and text[1:2] != "-" else text)
        except UnreadableBill:
            raise
        except ValueError:
            raise UnreadableBill(f"{self.place}: {column} is no amount in yuan") from None
        if abs(found) > _MOST_FEN:
            raise UnreadableBill(f"{self.place}: {column} is more than any bill can hold")
        return found

    def count(self, column: str) -> int:
        text = self.text(column)
        if not (text.isascii() and text.isdigit()):
            raise UnreadableBill(f"{self.place}: {column} is no number")
        return int(text)

    def moment(self, column: str) -> datetime:
        """Beijing time as bills write it: 2026-11-20 10:00:00."""
        try:
            found = datetime.strptime(self.text(column), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - its zone is given next
        except UnreadableBill:
            raise
        except ValueError:
            raise UnreadableBill(f"{self.place}: {column} is no moment") from None
        return found.replace(tzinfo=SHANGHAI)


def checked_header(names: Sequence[str]) -> list[str]:
    """The columns' names, without blanks; a name that comes twice leaves open which one is meant."""
    header = [name.strip() for name in names]
    for former, name in pairwise(sorted(filter(None, header))):
        if former == name:
            raise UnreadableBill(f"the column {name} comes twice")
    return header


def check_sum(what: str, *, lines: int, told: int) -> None:
    """Hold the lines' sum or number against what the bill itself tells of it."""
    if lines != told:
        raise UnreadableBill(f"{what}: the lines make {lines}, the bill tells {told}")


def check_day(lines: Collection[BillLine], day: date) -> None:
    """A line near midnight may carry the next day's or the former's time; a bill of nothing else is another day's."""
    if lines and all(local_date(line.at) != day for line in lines):
        raise UnreadableBill(f"no line of the bill is of {day}")
