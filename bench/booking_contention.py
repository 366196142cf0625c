"""`booking_contention`: 32 connections want places of the same slots, a quarter more than there are, on MariaDB.

Slot after slot is asked for until it is full and ten more times; each request is another resident's. What counts is how
many bookings are completed in a second. Between runs everything booked is deleted; nothing may ever be oversold.
"""

import json
import time
import urllib.request
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pymysql

from bench.counters import BUSINESS, Counters, opened
from bench.house import House, free_port, prepared
from bench.load.bookings import Rush, run, write_requests
from bench.load.compare import BASELINE, OURS
from bench.results import Figure
from bench.stage import Server, Stage
from bench.statistics import alternate, middle, ratio

NAME = "booking_contention"
CAPACITY = 40
WANTED = 50
SECONDS = 4
RESIDENTS = 12_000
_WARM_UP_SECONDS = 1
_QUIET_SECONDS = 0.3
_BOOK = "/api/v1/appointments"
_TABLES = ("appointments_booking", "kit_idempotency_key", "kit_audit")


class Books:
    """What lies in the database: emptied before each run, looked through after it."""

    def __init__(self, database: str) -> None:
        parts = urlsplit(database)
        self._connection = pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user="root",
            database=parts.path.lstrip("/"),
            autocommit=True,
        )
        self.oversold = 0

    def empty(self) -> None:
        """Once the requests that the load left unanswered have ended, too."""
        self._become_quiet()
        with self._connection.cursor() as cursor:
            for table in _TABLES:
                # Rows only marked as deleted would make the same keys, inserted again, wait for each other.
                cursor.execute(f"TRUNCATE TABLE {table}")
            cursor.execute("UPDATE appointments_slot SET booked = 0")

    def count_oversold(self) -> None:
        """Places sold beyond a slot's capacity, and slots whose counter is not what the rows say."""
        self._become_quiet()
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT COALESCE(SUM(GREATEST(s.booked - s.capacity, 0)), 0), "
                "COALESCE(SUM(s.booked <> (SELECT COUNT(*) FROM appointments_booking b WHERE b.slot_id = s.id)), 0) "
                "FROM appointments_slot s"
            )
            over, wrong = cursor.fetchone() or (0, 0)
        self.oversold += int(over) + int(wrong)

    def _become_quiet(self) -> None:
        before = -1
        while (count := self._bookings()) != before:
            before = count
            time.sleep(_QUIET_SECONDS)

    def _bookings(self) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM appointments_booking")
            found = cursor.fetchone()
        return int(found[0]) if found else 0

    def close(self) -> None:
        self._connection.close()


def laid_out(stage: Stage) -> tuple[House, Counters, Path]:
    """An installation with an office and its residents, and the file that loads go through."""
    house = prepared(stage, NAME)
    counters = opened(house, capacity=CAPACITY, days_ahead=45, residents=RESIDENTS)
    requests = stage.folder / "requests"
    write_requests(requests, _requests(counters))
    return house, counters, requests


def measure(stage: Stage) -> Figure:
    """Time for each completed booking."""
    house, counters, requests = laid_out(stage)
    port = free_port()
    arguments = ("-m", "bench.bare_booking", house.database, str(port), counters.office_id)
    servers = {
        OURS: house.serve(stage),
        BASELINE: stage.serve("bare", *arguments, url=f"http://127.0.0.1:{port}", ready="/"),
    }
    books = Books(house.database)
    stage.stack.callback(books.close)
    _alike(servers, counters, books)
    found = alternate({name: partial(_measured, books, server, requests) for name, server in servers.items()})
    return _figure(found[OURS], found[BASELINE], books.oversold)


def _requests(counters: Counters) -> list[tuple[str, str, str, str]]:
    """Resident after resident, fifty to a slot."""
    needed = -(-len(counters.tokens) // WANTED)
    if needed > len(counters.slot_ids):
        raise RuntimeError(f"{needed} slots are needed, there are {len(counters.slot_ids)}")
    return [
        (_BOOK, token, f"bench-{serial:08d}", _wish(counters.slot_ids[serial // WANTED]))
        for serial, token in enumerate(counters.tokens)
    ]


def _wish(slot_id: str) -> str:
    return json.dumps({"slot_id": slot_id, "business_type": BUSINESS})


def _measured(books: Books, server: Server, requests: Path) -> Rush:
    books.empty()
    run(_WARM_UP_SECONDS, url=server.url, requests=requests, pid=server.pid)
    books.empty()
    done = run(SECONDS, url=server.url, requests=requests, pid=server.pid)
    books.count_oversold()
    return done


def _alike(servers: dict[str, Server], counters: Counters, books: Books) -> None:
    """RuntimeError when one answers more or less than the other: then their times say nothing."""
    sizes = set()
    for server in servers.values():
        books.empty()
        request = urllib.request.Request(  # noqa: S310 - always our own http address
            server.url + _BOOK,
            data=_wish(counters.slot_ids[0]).encode(),
            headers={
                "Authorization": f"Bearer {counters.tokens[0]}",
                "Idempotency-Key": "bench-alike",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
            sizes.add((answer.status, len(answer.read())))
    if len(sizes) != 1:
        raise RuntimeError(f"the contenders answer differently: {sizes}")


def _figure(ours: Sequence[Rush], bare: Sequence[Rush], oversold: int) -> Figure:
    value = middle([each.us_per_booking for each in ours])
    baseline = middle([each.us_per_booking for each in bare])
    return Figure(
        name=NAME,
        value=value,
        baseline=baseline,
        unit="us/booking",
        ratio=ratio(ours=value, baseline=baseline),
        n=sum(each.made for each in ours),
        extra={"oversold": oversold, "contenders": {OURS: _told(ours), BASELINE: _told(bare)}},
    )


def _told(runs: Sequence[Rush]) -> dict[str, float]:
    """Medians of the rounds, for the table."""
    return {
        "bookings_per_second": round(middle([each.made / each.seconds for each in runs]), 1),
        "refused_per_second": round(middle([each.refused / each.seconds for each in runs]), 1),
        "cpu_us": round(middle([each.cpu_us for each in runs]), 1),
        "p50_ms": round(middle([each.p50_ms for each in runs]), 1),
        "p99_ms": round(middle([each.p99_ms for each in runs]), 1),
    }
