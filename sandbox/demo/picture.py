"""python -m sandbox.demo.picture [journey.json] [journey.svg]: the journey as a picture, a lane for each who took part.

It shows what was called and answered, and no duration: the same journey gives the same picture on any machine.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

_MARGIN, _TITLE_WIDTH, _LANE_WIDTH, _HEAD = 16, 232, 252, 64
_LINE, _PADDING, _CHIP = 17, 12, 6
_MOST_LINES = 10
_MOST_CHARACTERS = 41
_TITLE_CHARACTERS = 30
_REFUSED = 400
_LANES = ("resident", "desk", "passer-by", "partners")
_COLOURS = {"resident": "#e8f1fb", "desk": "#fdf1e0", "passer-by": "#eef6ea", "partners": "#f1ecf8"}
_FONT = "font-family='Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif'"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one of them did in one step, each kind of call once."""

    lines: tuple[str, ...]
    refused: frozenset[int]


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    title: str
    cells: dict[str, Cell]

    @property
    def height(self) -> int:
        longest = max((len(cell.lines) for cell in self.cells.values()), default=0)
        return max(len(self.title_lines), longest) * _LINE + 2 * _PADDING

    @property
    def title_lines(self) -> list[str]:
        return _wrapped(self.title, _TITLE_CHARACTERS)


def draw(journey: dict[str, Any]) -> str:
    """The picture of a journey as SVG; ValueError when nothing was called."""
    if not journey["calls"]:
        raise ValueError("a journey without calls shows nothing")
    calls = [*journey["calls"], *(_pushed(each) for each in journey["pushes"])]
    lanes = _lanes(calls)
    rows = [_row(step, calls, lanes) for step in journey["steps"]]
    width = 2 * _MARGIN + _TITLE_WIDTH + len(lanes) * _LANE_WIDTH
    height = _HEAD + sum(row.height for row in rows) + _MARGIN
    body = [*_head(lanes), *_body(rows, lanes)]
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' "
        f"role='img' aria-label='The journey of one case, call by call' {_FONT}>\n"
        f"<rect width='{width}' height='{height}' fill='#ffffff'/>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _pushed(push: dict[str, Any]) -> dict[str, Any]:
    """A push as a call of the partners' lane."""
    return {**push, "name": f"partners: {push['name']}", "method": "POST"}


def _lanes(calls: list[dict[str, Any]]) -> list[str]:
    """Who took part: residents, desks, passers-by, partners, each by first appearance."""
    found = list(dict.fromkeys(_who(call) for call in calls))
    return sorted(found, key=lambda who: _LANES.index(_kind(who)))


def _who(call: dict[str, Any]) -> str:
    return str(call["name"]).split(": ", 1)[0]


def _kind(who: str) -> str:
    if who in _LANES:
        return who
    return "resident" if who[:1] == "P" and who[1:2].isdigit() else "desk"


def _row(step: dict[str, Any], calls: list[dict[str, Any]], lanes: list[str]) -> Row:
    mine = [call for call in calls if call["step"] == step["number"]]
    cells = {who: _cell([call for call in mine if _who(call) == who]) for who in lanes}
    return Row(step["number"], step["title"], {who: cell for who, cell in cells.items() if cell.lines})


def _cell(calls: list[dict[str, Any]]) -> Cell:
    """Looking again while waiting is one line; how often depends on the machine, so it is not told."""
    counted: Counter[tuple[str, int, str]] = Counter()
    for call in calls:
        counted[str(call["name"]).split(": ", 1)[1], call["status"], call["method"]] += 1
    lines: list[str] = []
    refused: set[int] = set()
    for name, status, method in counted:
        many = f" ×{counted[name, status, method]}" if method != "GET" and counted[name, status, method] > 1 else ""
        if status >= _REFUSED:
            refused.add(len(lines))
        lines.append(f"{status} {_shortened(name, _MOST_CHARACTERS - len(many))}{many}")
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"and {len(lines) - _MOST_LINES + 1} more"]
    return Cell(tuple(lines), frozenset(number for number in refused if number < len(lines)))


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _head(lanes: list[str]) -> Iterator[str]:
    yield f"<text x='{_MARGIN}' y='{_HEAD - 22}' font-size='15' font-weight='600' fill='#1d2b3a'>step</text>"
    for position, who in enumerate(lanes):
        x = _lane_x(position)
        yield (
            f"<rect x='{x}' y='{_MARGIN}' width='{_LANE_WIDTH - _CHIP}' height='{_HEAD - _MARGIN - 8}' rx='8' "
            f"fill='{_COLOURS[_kind(who)]}'/>"
            f"<text x='{x + 10}' y='{_HEAD - 22}' font-size='14' font-weight='600' fill='#1d2b3a'>{escape(who)}</text>"
        )


def _body(rows: list[Row], lanes: list[str]) -> Iterator[str]:
    y = _HEAD
    for row in rows:
        yield f"<line x1='{_MARGIN}' x2='{_lane_x(len(lanes))}' y1='{y}' y2='{y}' stroke='#d6dee6'/>"
        yield from _titled(row, y)
        for position, who in enumerate(lanes):
            if who in row.cells:
                yield from _chip(row.cells[who], _COLOURS[_kind(who)], _lane_x(position), y)
        y += row.height


def _titled(row: Row, y: int) -> Iterator[str]:
    centre = y + _PADDING + 10
    yield f"<circle cx='{_MARGIN + 12}' cy='{centre}' r='12' fill='#2f6fb0'/>"
    yield (
        f"<text x='{_MARGIN + 12}' y='{centre + 4}' font-size='12' fill='#ffffff' text-anchor='middle'>"
        f"{row.number}</text>"
    )
    for number, line in enumerate(row.title_lines):
        yield (
            f"<text x='{_MARGIN + 32}' y='{y + _PADDING + 14 + number * _LINE}' font-size='12.5' fill='#1d2b3a'>"
            f"{escape(line)}</text>"
        )


def _chip(cell: Cell, colour: str, x: int, y: int) -> Iterator[str]:
    height = len(cell.lines) * _LINE + _PADDING
    yield (
        f"<rect x='{x}' y='{y + _PADDING // 2}' width='{_LANE_WIDTH - _CHIP}' height='{height}' rx='6' "
        f"fill='{colour}'/>"
    )
    for number, line in enumerate(cell.lines):
        ink = "#a33a1c" if number in cell.refused else "#26405a"
        yield (
            f"<text x='{x + 8}' y='{y + _PADDING + 9 + number * _LINE}' font-size='11.5' fill='{ink}'>"
            f"{escape(line)}</text>"
        )


def _wrapped(text: str, longest: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > longest:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _lane_x(position: int) -> int:
    return _MARGIN + _TITLE_WIDTH + position * _LANE_WIDTH


def main(arguments: list[str]) -> None:
    source, target = (Path(each) for each in arguments)
    target.write_text(draw(json.loads(source.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
