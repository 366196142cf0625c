"""Cells of a bill, by the name of their column; strict about money. A file is read line by line, never held twice."""

import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise

from kit.clock import SHANGHAI, local_date
from kit.money import from_yuan
from payments.bills.bill import BillLine, UnreadableBill

_LONGEST = 64
_MOST_FEN = 10**13  # a hundred billion yuan; 100,000 such lines still fit a row's sums
Columns = Mapping[str, int]
"""A column's name -> its place in every row."""


class Row:
    """One row under its header; `place` is what an error calls it, such as "line 3"."""

    def __init__(self, columns: Columns, cells: Sequence[str], place: str) -> None:
        if len(cells) != len(columns):
            raise UnreadableBill(f"{place} has {len(cells)} cells under {len(columns)} columns")
        self._columns = columns
        self._cells = cells
        self.place = place

    def text(self, column: str) -> str:
        """A cell without outer blanks; UnreadableBill when the column is missing or the cell too long for a number."""
        position = self._columns.get(column)
        if position is None:
            raise UnreadableBill(f"there is no column {column}")
        value = self._cells[position].strip()
        if len(value) > _LONGEST:
            raise UnreadableBill(f"{self.place}: {column} is too long")
        return value

    def optional(self, column: str) -> str:
        return self.text(column) if column in self._columns else ""

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
        """Beijing time as bills write it, 2026-11-20 10:00:00, in UTC."""
        try:
            found = datetime.strptime(self.text(column), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - its zone is given next
            return found.replace(tzinfo=SHANGHAI).astimezone(UTC)
        except UnreadableBill:
            raise
        except (ValueError, OverflowError):  # the first day of the calendar has no time in UTC
            raise UnreadableBill(f"{self.place}: {column} is no moment") from None


class Sums:
    """What the cells of some columns add up to, in fen, row by row."""

    def __init__(self, columns: Iterable[str]) -> None:
        self.fen = dict.fromkeys(columns, 0)
        self.rows = 0

    def add(self, row: Row) -> None:
        self.rows += 1
        for column in self.fen:
            self.fen[column] += row.fen(column)


def lines_of(content: bytes, encoding: str) -> Iterator[str]:
    """The lines of a file without their ends, blank ones left out; UnreadableBill when it is not in that encoding.

    Only CR and LF end a line: a product's name may hold what Unicode counts as a line's end as well.
    """
    text = io.TextIOWrapper(io.BytesIO(content), encoding=encoding)
    try:
        for line in text:
            if line.strip():
                yield line.rstrip("\n")
    except UnicodeDecodeError:
        raise UnreadableBill(f"a file of the bill is not in {encoding}") from None


def checked_header(names: Sequence[str]) -> Columns:
    """Where each column stands, by its name without blanks; a name that comes twice leaves open which one is meant."""
    header = [name.strip() for name in names]
    for former, name in pairwise(sorted(filter(None, header))):
        if former == name:
            raise UnreadableBill(f"the column {name} comes twice")
    # Columns without a name keep their place.
    return {name or f"#{position}": position for position, name in enumerate(header)}


def check_sum(what: str, *, lines: int, told: int) -> None:
    """Hold the lines' sum or number against what the bill itself tells of it."""
    if lines != told:
        raise UnreadableBill(f"{what}: the lines make {lines}, the bill tells {told}")


def check_day(lines: Collection[BillLine], day: date) -> None:
    """A line near midnight may carry the next day's or the former's time; a bill of nothing else is another day's."""
    if lines and all(local_date(line.at) != day for line in lines):
        raise UnreadableBill(f"no line of the bill is of {day}")
