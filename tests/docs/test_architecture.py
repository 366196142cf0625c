import importlib
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
_ROW = re.compile(r"^\| `([a-z_.]+)` \| `([a-z_.]+)` \| (platform|registry) \|$", re.MULTILINE)


def test_the_table_of_events_is_the_one_in_the_code() -> None:
    told = set(_ROW.findall(PAGE.read_text(encoding="utf-8")))
    module = importlib.import_module("server.journeys.handlers")
    sides = {"platform": module.PLATFORM, "registry": module.REGISTRY}
    real = {(each.event.name, each.name, side) for side, handlers in sides.items() for each in handlers}
    assert {"only told": sorted(told - real), "only real": sorted(real - told)} == {"only told": [], "only real": []}
