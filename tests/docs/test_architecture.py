import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kit.outbox import Handler

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


def _handlers(value: Any) -> Iterator[Handler]:
    if isinstance(value, Handler):
        yield value
    elif isinstance(value, Mapping):
        yield from _handlers(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _handlers(item)


def test_the_table_of_events_is_the_one_in_the_code() -> None:
    told = set(
        re.findall(r"^\| `([a-z_.]+)` \| `([a-z_.]+)` \| (?:platform|registry) \|$", PAGE.read_text(), re.MULTILINE)
    )
    module = importlib.import_module("server.journeys.handlers")
    real = {(handler.event.name, handler.name) for handler in _handlers(tuple(vars(module).values()))}
    assert {"only told": sorted(told - real), "only real": sorted(real - told)} == {"only told": [], "only real": []}
