"""`python -m bench [--only a,b]`: measure, write var/bench/results.json, print a table."""

import signal
import sys
from types import FrameType

import click

from bench import (
    booking_contention,
    login_session,
    payment_notifications,
    progress_read,
    slot_calendar,
    verify_offline,
)
from bench.results import Figure, table, write
from bench.stage import ROOT, stage

_MEASURED = (
    progress_read,
    login_session,
    verify_offline,
    slot_calendar,
    booking_contention,
    payment_notifications,
)
FIGURES = {each.NAME: each.measure for each in _MEASURED}
RESULTS = ROOT / "var" / "bench" / "results.json"


def chosen(only: str) -> list[str]:
    """The figures to measure; BadParameter names those that do not exist."""
    names = [name.strip() for name in only.split(",") if name.strip()] or list(FIGURES)
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise click.BadParameter(f"no figure {', '.join(unknown)}; there are: {', '.join(FIGURES)}")
    return names


def _end(_: int, __: FrameType | None) -> None:
    sys.exit(143)  # as an exception, so that servers and folders go too


@click.command()
@click.option("--only", default="", help="Figures to measure, with commas between; all of them without.")
def main(only: str) -> None:
    """Measure ours against its baselines."""
    signal.signal(signal.SIGTERM, _end)
    found: list[Figure] = []
    for name in chosen(only):
        print(f"measuring {name}", flush=True)
        with stage() as stood:
            found.append(FIGURES[name](stood))
    write(RESULTS, found)
    print(table(found))
    print(f"written: {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
