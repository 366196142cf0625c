"""`docs/errors.md` from the problems themselves: every code a caller can meet, its status and its sentence."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from kit.errors import Problem
from kit.web.problem import Internal

_HEAD = """# Errors

*Generated from the classes themselves; do not edit by hand.*

Every failure is an RFC 9457 problem document (`application/problem+json`): `type` is `urn:yichuang:problem:<code>` in
lower case, `title` and `detail` are Chinese sentences fit to be shown, `code` is stable, `request_id` finds the log
line. Wrong fields stand in `errors[]`, each with `field`, `code` and `message`. `Retry-After` comes with 503 and 504,
and wherever else waiting helps.
"""
_TABLE = "| code | status | sentence | from |\n|---|---|---|---|"


def problems_of(packages: Iterable[str]) -> list[type[Problem]]:
    """Every Problem that the packages define; imports all of their modules, migrations apart."""
    found: set[type[Problem]] = set()
    for package in packages:
        for name in modules_of(package):
            module = importlib.import_module(name)
            found.update(
                item
                for item in vars(module).values()
                if isinstance(item, type)
                and issubclass(item, Problem)
                and item.__module__ == name
                and item is not Problem
            )
    return sorted(found, key=lambda problem: problem.code)


def errors_markdown(problems: Iterable[type[Problem]]) -> str:
    """Render the whole page in order of code; ValueError when a code says different things in two places."""
    by_code: dict[str, list[type[Problem]]] = {}
    for problem in problems:
        by_code.setdefault(problem.code, []).append(problem)
    return "\n".join([_HEAD, _TABLE, *(_row(code, by_code[code]) for code in sorted(by_code))]) + "\n"


def modules_of(package: str) -> Iterator[str]:
    """The names of a package's modules, migrations apart."""
    yield package
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, prefix=f"{package}."):
        if "migrations" not in module.name.split("."):
            yield module.name


def _row(code: str, problems: list[type[Problem]]) -> str:
    told = {(500 if issubclass(problem, Internal) else problem.kind.value, problem.title) for problem in problems}
    if len(told) > 1:
        raise ValueError(f"{code} says different things in different places")
    status, title = told.pop()
    origins = sorted({f"`{problem.__module__.removesuffix('.errors')}`" for problem in problems})
    return f"| `{code}` | {status} | {title.replace('|', '')} | {', '.join(origins)} |"
