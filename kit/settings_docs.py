"""`docs/settings.md` from the settings themselves: every key, its type, its default and what it means."""

import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kit.settings import PREFIX

_HEAD = f"""# Settings

*Generated from the settings' own declarations; do not edit by hand.*

One TOML file, named by `--settings` or `YICHUANG_SETTINGS`. A variable `{PREFIX}SECTION__KEY` overrides a single value.
Unknown keys are refused. A key that ends in `_file` names a file with one secret in it, which not everybody may read.
"""
_TABLE = "| key | type | default | meaning |\n|---|---|---|---|"


def settings_markdown(model: type[BaseModel]) -> str:
    """Render the whole page; ValueError for a field without a description, since a page with holes helps nobody."""
    sections = {name: section for name, field in model.model_fields.items() if (section := _section_of(field))}
    plain = {name: field for name, field in model.model_fields.items() if name not in sections}
    parts = [_HEAD, "## At the top of the file\n", _table(plain, prefix="")]
    for name, section in sections.items():
        field = model.model_fields[name]
        parts += [f"\n## `[{name}]`\n", f"{_summary(section)} {_presence(field)}\n"]
        parts.append(_table(section.model_fields, prefix=f"{name}."))
    return "\n".join(parts) + "\n"


def _section_of(field: FieldInfo) -> type[BaseModel] | None:
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _summary(section: type[BaseModel]) -> str:
    text = (section.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(text.split())


def _presence(field: FieldInfo) -> str:
    if field.is_required():
        return "Must be given."
    return "May be left out." if field.default is None else "Each key has a default."


def _table(fields: dict[str, FieldInfo], *, prefix: str) -> str:
    return "\n".join([_TABLE, *(_row(prefix + name, field) for name, field in fields.items())])


def _row(key: str, field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"{key} has no description")
    return f"| `{key}` | {_escaped(_type(field.annotation))} | {_default(field)} | {_escaped(field.description)} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "*required*"
    if value is None:
        return ""
    return f"`{_escaped(_toml(value))}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Path):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {_toml(item)}' for key, item in value.items())}}}"
    return str(value)


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in {Union, types.UnionType}:
        return " or ".join(_type(part) for part in inner if part is not type(None))
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"table of {_type(inner[1])}"
    if inner:  # Annotated
        return _type(inner[0])
    names = {str: "text", int: "integer", bool: "boolean", Path: "path"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
