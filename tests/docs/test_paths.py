import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_CALL = re.compile(r"\b(GET|POST|DELETE) (/(?:staff|api|callbacks)/[^\s`?|,;)]*)")
_MENTIONED = re.compile(r"`((?:kit|server|payments|notifications|miniprogram_api|sandbox|bench|tests|docs)/[\w./-]+)`")
_PREFIX = re.compile(r'Routes\(\s*"\w+",\s*"(/[^"]*)"')
_ROUTE = re.compile(r'@routes\.(get|post|delete)\(\s*(?:"([^"]*)"|([A-Z_]+))')
_CONSTANT = re.compile(r'^([A-Z_]+) = "(/[^"]*)"$', re.MULTILINE)


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}|<[^>]*>", "*", path).rstrip("/")


def _routes() -> set[tuple[str, str]]:
    """Method and path of every declared route, what stands for a value as `*`."""
    found = set()
    for folder in ("server", "miniprogram_api", "payments"):
        for file in (ROOT / folder).rglob("*.py"):
            code = file.read_text(encoding="utf-8")
            constants = dict(_CONSTANT.findall(code))
            for prefix in _PREFIX.findall(code):
                for method, path, name in _ROUTE.findall(code):
                    found.add((method.upper(), _shape(prefix + (path or constants.get(name, "")))))
    return found


def _called(page: Path) -> set[tuple[str, str]]:
    return {(method, _shape(path)) for method, path in _CALL.findall(page.read_text(encoding="utf-8"))}


PAGES = [page for page in DOCS if _called(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_request_named_is_a_route(page: Path) -> None:
    assert sorted(_called(page) - _routes()) == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_file_of_ours_that_is_named_exists(page: Path) -> None:
    named = _MENTIONED.findall(page.read_text(encoding="utf-8"))
    assert sorted(name for name in named if not (ROOT / name).exists() and not (ROOT / "tests" / name).exists()) == []
