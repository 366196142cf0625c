"""A measured figure, its file and its line in the table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` and `baseline` are costs in `unit`, medians of the rounds; `n` operations of ours were measured.

    `better: higher`: ratio = baseline / value. `extra` is reported, not judged.
    """

    name: str
    value: float
    baseline: float
    unit: str
    ratio: float
    n: int
    better: Literal["higher", "lower"] = "higher"
    extra: dict[str, Any] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """As it stands in the results' file; the judged members first."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "baseline": round(self.baseline, 3),
            "unit": self.unit,
            "ratio": round(self.ratio, 4),
            "better": self.better,
            "n": self.n,
            **self.extra,
        }


def write(path: Path, figures: Sequence[Figure]) -> None:
    """Put the figures into the file; others that an earlier run left there stay."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    measured = {figure.name for figure in figures}
    found = [each for each in kept if each["name"] not in measured] + [figure.to_data() for figure in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".new")
    text = json.dumps(sorted(found, key=lambda each: str(each["name"])), ensure_ascii=False, indent=2)
    staged.write_text(text + "\n", encoding="utf-8")
    staged.replace(path)


def table(figures: Sequence[Figure]) -> str:
    """The figures for people: one line each, and below it what every contender did."""
    lines = [f"{'figure':<18}{'ours':>12}{'baseline':>12}  {'unit':<16}{'ratio':>7}{'n':>10}"]
    for figure in figures:
        lines.append(
            f"{figure.name:<18}{figure.value:>12.1f}{figure.baseline:>12.1f}  {figure.unit:<16}"
            f"{figure.ratio:>7.2f}{figure.n:>10}"
        )
        lines.extend(
            f"  {name:<16}" + "  ".join(f"{key} {value}" for key, value in shown.items())
            for name, shown in figure.extra.get("contenders", {}).items()
        )
    return "\n".join(lines)
