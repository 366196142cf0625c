"""Nothing is kept that nobody uses: templates nobody sends, errors nobody raises, settings nobody reads, lost data."""

import ast
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from kit.web.errors_docs import problems_of
from notifications import templates
from server.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("kit", "server", "payments", "notifications", "miniprogram_api")


def _texts_in(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_template_shipped_is_sent():
    said: set[str] = set().union(*map(_texts_in, (ROOT / "server" / "journeys" / "telling").glob("*.py")))
    shipped = {template.code for template in templates.load().values()}
    assert len(shipped) > 15
    assert sorted(shipped - said) == []


def test_every_error_is_raised_or_handed_on():
    used: set[str] = set()
    for tree in _trees():
        told = {each for node in ast.walk(tree) if _tells_errors(node) for each in ast.walk(node)}
        used.update(_name(node) for node in ast.walk(tree) if node not in told)
    idle = [problem.__name__ for problem in problems_of(PACKAGES) if problem.__name__ not in used]
    assert idle == []


def test_every_setting_is_read():
    used = {node.attr for tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert sorted(name for name in _settings(Settings) if name not in used) == []


def test_every_data_file_is_packed():
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    patterns = {f"{package.replace('.', '/')}/{each}" for package, given in packed.items() for each in given}
    found = [path for package in (*PACKAGES, "bench") for path in (ROOT / package).rglob("*") if path.is_file()]
    data = [path.relative_to(ROOT).as_posix() for path in found if path.suffix not in {".py", ".pyc", ".md"}]
    assert len(data) > 5
    assert [path for path in data if not any(fnmatch(path, pattern) for pattern in patterns)] == []


def _trees() -> Iterator[ast.Module]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                yield ast.parse(path.read_text(encoding="utf-8"))


def _tells_errors(node: ast.AST) -> bool:
    """A route's list of the errors it may answer."""
    return isinstance(node, ast.keyword) and node.arg == "errors"


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _settings(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        kinds = [each for each in (field.annotation, *get_args(field.annotation)) if isinstance(each, type)]
        sections = [each for each in kinds if issubclass(each, BaseModel)]
        if not sections:
            yield name
        for section in sections:
            yield from _settings(section)
