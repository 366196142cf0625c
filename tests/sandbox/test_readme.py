"""The sandbox's own page names all that can be ordered there."""

import importlib
import pkgutil
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox import control
from sandbox.control.desk import BASE
from sandbox.faults import TARGETS

PAGE = (Path(control.__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def _mounted() -> list[str]:
    """Paths as the page writes them; a placeholder stands for any word."""
    found: set[str] = set()

    def add_route(_serve: Any, path: str, **_: Any) -> None:
        found.add(path.removeprefix(BASE))

    app = SimpleNamespace(add_route=add_route)
    for module in pkgutil.iter_modules(control.__path__, "sandbox.control."):
        mount = getattr(importlib.import_module(module.name), "mount", None)
        if mount is not None:
            mount(app, None)
    return sorted(found)


def _stands(word: str) -> bool:
    pattern = re.sub(r"<[^>]*>", r"\\w+", word.replace(".", r"\."))
    return re.search(rf"(?<![\w./-]){pattern}(?![\w/-]|\.\w)", PAGE) is not None


@pytest.mark.parametrize("path", _mounted())
def test_every_control_call_stands_on_the_page(path: str) -> None:
    assert _stands(path)


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_of_a_fault_stands_on_the_page(target: str) -> None:
    assert _stands(target)


@pytest.mark.parametrize("word", ["/pay/refun", "/refunds", "pay.refund_", "wechat", "/_control/faults"])
def test_parts_of_words_do_not_count(word: str) -> None:
    assert not _stands(word)
