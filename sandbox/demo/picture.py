"""python -m sandbox.demo.picture JOURNEY.json PICTURE.svg: the journey as a picture, step by step.

It shows what was called and answered, and no duration: the same journey gives the same picture on any machine. What
partners pushed is taken from the file of that name beside the journey, where there is one.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from sandbox.demo.report import columns
from sandbox.demo.steps import TITLES

PUSHES = "pushes.json"
# As wide as a page shows it without shrinking the words.
_MARGIN, _TITLE_WIDTH, _CARD_WIDTH, _CARDS_ABREAST = 16, 200, 256, 3
_WIDTH = 2 * _MARGIN + _TITLE_WIDTH + _CARDS_ABREAST * _CARD_WIDTH
_LINE, _PADDING, _GAP = 17, 12, 8
_MOST_LINES = 10
_MOST_CHARACTERS = 41
_TITLE_COLUMNS = 25
_REFUSED = 400
_KINDS = ("resident", "desk", "passer-by", "partners")
_COLOURS = {"resident": "#e8f1fb", "desk": "#fdf1e0", "passer-by": "#eef6ea", "partners": "#f1ecf8"}
_FONT = "font-family='Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif'"
_INK, _DARK, _RED = "#26405a", "#1d2b3a", "#a33a1c"

Calls = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Card:
    """What somebody did in one step, each kind of call once; those who did the same share a card."""

    who: tuple[str, ...]
    lines: tuple[str, ...]
    refused: frozenset[int]

    @property
    def height(self) -> int:
        return (1 + len(self.lines)) * _LINE + _PADDING


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    title: str
    cards: tuple[Card, ...]

    @property
    def title_lines(self) -> list[str]:
        return _wrapped(self.title, _TITLE_COLUMNS)

    @property
    def shelves(self) -> list[tuple[Card, ...]]:
        return [self.cards[at : at + _CARDS_ABREAST] for at in range(0, len(self.cards), _CARDS_ABREAST)]

    @property
    def height(self) -> int:
        shelves = sum(_height(shelf) + _GAP for shelf in self.shelves) + _GAP
        return max(len(self.title_lines) * _LINE + 2 * _PADDING, shelves)


def draw(calls: Calls, pushes: Calls = (), titles: Mapping[int, str] = TITLES) -> str:
    """The picture of a journey as SVG; ValueError when nothing was called."""
    if not calls:
        raise ValueError("a journey without calls shows nothing")
    known = [*calls, *(_pushed(each) for each in pushes)]
    rows = [_row(number, titles.get(number, ""), known) for number in sorted({call["step"] for call in known})]
    height = sum(row.height for row in rows) + _MARGIN
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' width='{_WIDTH}' height='{height}' "
        f"role='img' aria-label='The journey of one case, call by call' {_FONT}>\n"
        f"<rect width='{_WIDTH}' height='{height}' fill='#ffffff'/>\n" + "\n".join(_body(rows)) + "\n</svg>\n"
    )


def _pushed(push: Mapping[str, Any]) -> dict[str, Any]:
    """A push as a call that the partners made."""
    return {**push, "name": f"partners: {push['name']}", "method": "POST"}


def _who(call: Mapping[str, Any]) -> str:
    return str(call["name"]).split(": ", 1)[0]


def _kind(who: str) -> str:
    if who in _KINDS:
        return who
    return "resident" if who[:1] == "P" and who[1:2].isdigit() else "desk"


def _row(number: int, title: str, calls: Calls) -> Row:
    mine = [call for call in calls if call["step"] == number]
    cards: dict[tuple[str, tuple[str, ...]], Card] = {}
    for who in dict.fromkeys(map(_who, mine)):
        lines, refused = _lines([call for call in mine if _who(call) == who])
        same = cards.get((_kind(who), lines))
        cards[_kind(who), lines] = Card((*(same.who if same else ()), who), lines, refused)
    return Row(number, title, tuple(sorted(cards.values(), key=lambda card: _KINDS.index(_kind(card.who[0])))))


def _lines(calls: Calls) -> tuple[tuple[str, ...], frozenset[int]]:
    """Looking again while waiting is one line; how often depends on the machine, so it is not told."""
    counted = Counter((str(call["name"]).split(": ", 1)[1], call["status"], call["method"]) for call in calls)
    lines: list[str] = []
    refused: set[int] = set()
    for (name, status, method), count in counted.items():
        many = f" ×{count}" if method != "GET" and count > 1 else ""
        if status >= _REFUSED:
            refused.add(len(lines))
        lines.append(f"{status} {_shortened(name, _MOST_CHARACTERS - len(many))}{many}")
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"and {len(lines) - _MOST_LINES + 1} more"]
    return tuple(lines), frozenset(number for number in refused if number < len(lines))


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _body(rows: Sequence[Row]) -> Iterator[str]:
    y = _MARGIN // 2
    for row in rows:
        if row is not rows[0]:
            yield f"<line x1='{_MARGIN}' x2='{_WIDTH - _MARGIN}' y1='{y}' y2='{y}' stroke='#d6dee6'/>"
        yield from _titled(row, y)
        top = y + _GAP
        for shelf in row.shelves:
            for position, card in enumerate(shelf):
                yield from _drawn(card, _MARGIN + _TITLE_WIDTH + position * _CARD_WIDTH, top)
            top += _height(shelf) + _GAP
        y += row.height


def _height(shelf: Sequence[Card]) -> int:
    return max(card.height for card in shelf)


def _titled(row: Row, y: int) -> Iterator[str]:
    centre = y + _PADDING + 10
    yield f"<circle cx='{_MARGIN + 12}' cy='{centre}' r='12' fill='#2f6fb0'/>"
    yield _text(str(row.number), _MARGIN + 12, centre + 4, "font-size='12' fill='#ffffff' text-anchor='middle'")
    for number, line in enumerate(row.title_lines):
        yield _text(
            line, _MARGIN + 32, y + _PADDING + 14 + number * _LINE, f"font-size='12.5' font-weight='600' fill='{_DARK}'"
        )


def _drawn(card: Card, x: int, y: int) -> Iterator[str]:
    colour = _COLOURS[_kind(card.who[0])]
    yield f"<rect x='{x}' y='{y}' width='{_CARD_WIDTH - _GAP}' height='{card.height}' rx='6' fill='{colour}'/>"
    first = y + _PADDING + 5
    yield _text(", ".join(card.who), x + 8, first, f"font-size='11.5' font-weight='600' fill='{_DARK}'")
    for number, line in enumerate(card.lines):
        ink = _RED if number in card.refused else _INK
        yield _text(line, x + 8, first + (number + 1) * _LINE, f"font-size='11.5' fill='{ink}'")


def _text(text: str, x: int, y: int, style: str) -> str:
    return f"<text x='{x}' y='{y}' {style}>{escape(text)}</text>"


def _wrapped(text: str, longest: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and columns(lines[-1]) + columns(word) + 1 > longest:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def main(arguments: list[str]) -> None:
    source, target = (Path(each) for each in arguments)
    pushes = source.with_name(PUSHES)
    told = json.loads(pushes.read_text(encoding="utf-8")) if pushes.exists() else []
    target.write_text(draw(json.loads(source.read_text(encoding="utf-8")), told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
