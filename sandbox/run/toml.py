"""Writing settings: the part of TOML that they need (the standard library only reads it)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def dumps(settings: Mapping[str, Any]) -> str:
    """Top-level values first, then one table per section; a None is left out, a mapping in a section is inline."""
    plain = [_line(name, value) for name, value in settings.items() if value is not None and not _is_table(value)]
    tables = [
        "\n".join([f"[{name}]", *(_line(key, each) for key, each in value.items() if each is not None)])
        for name, value in settings.items()
        if _is_table(value)
    ]
    return "\n\n".join(["\n".join(plain), *tables]) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _line(name: str, value: Any) -> str:
    return f"{name} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_text(key)} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, str | Path):
        return _text(str(value))
    raise TypeError(f"no TOML for a {type(value).__name__}")


def _text(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
