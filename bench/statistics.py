"""Rounds and what is made of them."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import TypeVar

ROUNDS = 5
T = TypeVar("T")


def alternate(contenders: Mapping[str, Callable[[], T]], *, rounds: int = ROUNDS) -> dict[str, list[T]]:
    """Each contender once per round, every second round in reverse, so that a slow minute of the machine hits all."""
    found: dict[str, list[T]] = {name: [] for name in contenders}
    for turn in range(rounds):
        names = list(contenders) if turn % 2 == 0 else list(contenders)[::-1]
        for name in names:
            found[name].append(contenders[name]())
    return found


def middle(values: list[float]) -> float:
    """The median; ValueError for none."""
    if not values:
        raise ValueError("no value was measured")
    return float(median(values))


def ratio(*, ours: float, baseline: float) -> float:
    """How many times our cost fits into the baseline's: 1.0 is as cheap, 0.5 twice as dear."""
    if ours <= 0 or baseline <= 0:
        raise ValueError("a cost is greater than zero")
    return baseline / ours
