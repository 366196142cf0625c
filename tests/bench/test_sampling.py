import time

import pytest

from bench.sampling import REST, Sampler, layer_of, shares


@pytest.mark.parametrize(
    ("files", "layer"),
    [
        (["/usr/lib/asyncio/streams.py", "/x/aiomysql/connection.py", "/x/tortoise/client.py"], "database driver"),
        (["/x/re/__init__.py", "/w/kit/log.py", "/x/structlog/_base.py", "/w/kit/web/app.py"], "log line"),
        (["/w/server/identity/queries.py", "/w/kit/web/edge.py"], "session"),
        (["/w/kit/web/routes.py", "/x/sanic/app.py"], "edge and middleware"),
        (["/usr/lib/asyncio/events.py"], REST),
        ([], REST),
    ],
)
def test_a_stack_belongs_to_the_innermost_layer(files: list[str], layer: str):
    assert layer_of(files) == layer


def test_shares_are_parts_of_all_samples():
    assert shares({"a": 1, "b": 3}) == [("b", 0.75), ("a", 0.25)]


def test_running_code_is_sampled_until_the_sampler_stops():
    sampler = Sampler()
    sampler.start()
    until = time.process_time() + 10  # a kernel may look a hundred times a second only
    while sum(sampler.counts.values()) < 10 and time.process_time() < until:
        pass
    sampler.stop()
    seen = sum(sampler.counts.values())
    assert seen >= 10
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert sum(sampler.counts.values()) == seen
