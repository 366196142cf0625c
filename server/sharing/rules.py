from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Whom one resident may have asked about

ASKED_WITHIN = timedelta(days=1)
MOST_PEOPLE = 20
"""Of other parties a resident learns whether their name and number belong together: no more than they deal with."""

# What is kept of an answer


class Result(StrEnum):
    """What a department said of a person, or that it could not be asked."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    MISMATCH = "mismatch"
    UNAVAILABLE = "unavailable"


def replaces(new: Result, old: Result) -> bool:
    """Whether a new answer takes an older one's place: what was found stays, and silence replaces only silence."""
    if old is Result.FOUND:
        return False
    return new is not Result.UNAVAILABLE or old is Result.UNAVAILABLE


# When a source is left alone


class Breaker(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Patience:
    """After `failures` in a row a source is left alone for `pause`; then one question tries it."""

    failures: int = 3
    pause: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Circuit:
    """A source's recent past: failures in a row, since when it is left alone, when a trying question went out."""

    failed: int = 0
    opened_at: datetime | None = None
    tried_at: datetime | None = None


def breaker_of(circuit: Circuit, patience: Patience, *, now: datetime) -> Breaker:
    if circuit.opened_at is None:
        return Breaker.CLOSED
    return Breaker.HALF_OPEN if now - circuit.opened_at >= patience.pause else Breaker.OPEN


def asking(circuit: Circuit, patience: Patience, *, now: datetime) -> Circuit | None:
    """The circuit with one more question on its way; None when the source is to be left alone.

    While it is half open one question tries it. One that never came back may be followed by another after a pause.
    """
    state = breaker_of(circuit, patience, now=now)
    if state is Breaker.CLOSED:
        return circuit
    trying = circuit.tried_at is not None and now - circuit.tried_at < patience.pause
    if state is Breaker.OPEN or trying:
        return None
    return Circuit(circuit.failed, circuit.opened_at, now)


def answered() -> Circuit:
    """Whatever the answer was: the source is there again."""
    return Circuit()


def failed(circuit: Circuit, patience: Patience, *, now: datetime) -> Circuit:
    """One more failure in a row; a failed trial begins the pause anew."""
    count = circuit.failed + 1
    if circuit.tried_at is not None or count >= patience.failures:
        return Circuit(count, now)
    return Circuit(count)


def given_up(circuit: Circuit) -> Circuit:
    """A question that nobody waits for any more says nothing of the source; a trial is free again."""
    return Circuit(circuit.failed, circuit.opened_at)
