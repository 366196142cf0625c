import importlib
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
_ROW = re.compile(r"^\| `([a-z_.]+)` \| `([a-z_.]+)` \| (platform|registry) \|$", re.MULTILINE)


def test_the_table_of_events_is_the_one_in_the_code() -> None:
    told = set(_ROW.findall(PAGE.read_text(encoding="utf-8")))
    module = importlib.import_module("server.journeys.handlers")
    sides = {"platform": module.PLATFORM, "registry": module.REGISTRY}
    real = {(each.event.name, each.name, side) for side, handlers in sides.items() for each in handlers}
    assert {"only told": sorted(told - real), "only real": sorted(real - told)} == {"only told": [], "only real": []}


def test_the_table_of_features_is_that_of_the_import_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layer,) = [each for each in contracts[0]["layers"] if "payments" in each]
    told = re.findall(
        r"^\| `([a-z]+)` \| .* \| (?:platform|registry|both) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(told) == sorted(name.strip().removeprefix("server.") for name in layer.split("|"))


def test_decisions_are_numbered_one_after_the_other_and_all_are_named() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert [
        page.name for page in pages if not page.read_text(encoding="utf-8").startswith(f"# {page.name[:4]}: ")
    ] == []
    named = re.findall(r"\(decisions/([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert named == [page.name for page in pages]
