"""A figure from loads: contenders in turns, judged by CPU time per request or by completed work per second."""

from collections.abc import Callable, Mapping
from functools import partial

from bench.load.wrk import Run, told
from bench.results import Figure
from bench.statistics import alternate, middle, ratio

OURS, BASELINE = "ours", "bare"
SECONDS = 4
_WARM_UP_SECONDS = 2

Load = Callable[[int], Run]
"""Loads one contender for so many seconds."""


def by_cpu(name: str, contenders: Mapping[str, Load]) -> Figure:
    """`ours` against `bare`; further contenders are reported beside them."""
    found = alternate({each: partial(_measured, load) for each, load in contenders.items()})
    value = middle([run.cpu_us for run in found[OURS]])
    baseline = middle([run.cpu_us for run in found[BASELINE]])
    return Figure(
        name=name,
        value=value,
        baseline=baseline,
        unit="us CPU/request",
        ratio=ratio(ours=value, baseline=baseline),
        n=sum(run.requests for run in found[OURS]),
        extra={"contenders": {each: told(runs) for each, runs in found.items()}},
    )


Work = Callable[[], Run]
"""Has one contender do a fixed amount of work that it has not done before."""


def by_work(name: str, contenders: Mapping[str, Work], *, unit: str = "us/operation") -> Figure:
    """`ours` against `bare`, by the wall time that one completed operation takes under the load's concurrency."""
    found = alternate(contenders)
    value = middle([_wall_us(run) for run in found[OURS]])
    baseline = middle([_wall_us(run) for run in found[BASELINE]])
    return Figure(
        name=name,
        value=value,
        baseline=baseline,
        unit=unit,
        ratio=ratio(ours=value, baseline=baseline),
        n=sum(run.requests for run in found[OURS]),
        extra={"contenders": {each: told(runs) for each, runs in found.items()}},
    )


def _wall_us(run: Run) -> float:
    return run.seconds / run.requests * 1e6


def _measured(load: Load) -> Run:
    """While the others had their turns a server has stood idle and forgotten its sessions, as none does under load."""
    load(_WARM_UP_SECONDS)
    return load(SECONDS)
