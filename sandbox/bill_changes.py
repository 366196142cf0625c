"""What a bill says wrongly on purpose: a row nobody knows, a row left out, a row with another amount."""

from collections.abc import Mapping
from typing import Any

from sandbox.books import Books


class BillChanges:
    """Of one partner's bills, from now on and after a restart; `number` is an order's or a refund's."""

    def __init__(self, books: Books, book: str) -> None:
        self._books = books
        self._book = book
        self._added: list[dict[str, Any]] = []
        self._omitted: set[str] = set()
        self._amounts: dict[str, int] = {}
        for entry in books.read(book):
            self._take(entry)

    def add(self, row: Mapping[str, Any]) -> None:
        """A row of which the merchant knows nothing."""
        self._change({"added": dict(row)})

    def omit(self, number: str) -> None:
        """Leave out what the merchant knows of."""
        self._change({"omitted": number})

    def misstate(self, number: str, amount_fen: int) -> None:
        """Another amount than what was moved."""
        self._change({"number": number, "amount_fen": amount_fen})

    @property
    def added(self) -> tuple[dict[str, Any], ...]:
        return tuple(self._added)

    def omits(self, number: str) -> bool:
        return number in self._omitted

    def amount(self, number: str, truth: int) -> int:
        return self._amounts.get(number, truth)

    def _change(self, entry: dict[str, Any]) -> None:
        self._take(entry)
        self._books.write(self._book, entry)

    def _take(self, entry: dict[str, Any]) -> None:
        if "added" in entry:
            self._added.append(entry["added"])
        elif "omitted" in entry:
            self._omitted.add(entry["omitted"])
        else:
            self._amounts[entry["number"]] = entry["amount_fen"]
