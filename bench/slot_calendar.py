"""`slot_calendar`: a resident looks at two weeks of an office's slots, on MariaDB.

Ours checks the session, which it remembers for five seconds, and sends one SELECT; the baseline sends the same SELECT
for the same rows and answers the same bytes to anybody.
"""

from functools import partial

from bench.bare_slots import DAYS, DAYS_AHEAD
from bench.counters import BUSINESS, opened
from bench.house import free_port, prepared
from bench.load import wrk
from bench.load.compare import by_cpu
from bench.results import Figure
from bench.stage import Stage

NAME = "slot_calendar"
RESIDENTS = 500


def measure(stage: Stage) -> Figure:
    """Server CPU time per request."""
    house = prepared(stage, NAME)
    counters = opened(house, capacity=8, days_ahead=DAYS_AHEAD, residents=RESIDENTS)
    path = f"/api/v1/offices/{counters.office_id}/slots?business={BUSINESS}&days={DAYS}"
    requests = stage.folder / "requests"
    wrk.write_requests(requests, [(path, token) for token in counters.tokens])
    port = free_port()
    servers = {
        "ours": house.serve(stage),
        "bare": stage.serve(
            "bare", "-m", "bench.bare_slots", house.database, str(port), url=f"http://127.0.0.1:{port}", ready="/"
        ),
    }
    if len({server.get(path, counters.tokens[0]) for server in servers.values()}) != 1:
        raise RuntimeError("the contenders answer differently")
    return by_cpu(
        NAME,
        {name: partial(wrk.run, url=server.url, requests=requests, pid=server.pid) for name, server in servers.items()},
    )
