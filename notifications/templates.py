"""Message templates: data, shipped as YAML, with the words that residents read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

SHIPPED = Path(__file__).parent / "data" / "templates.yaml"
_TEXTS = ("title", "body", "page")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to be read: in the inbox, and as the fields of a wallet's template."""

    title: str
    body: str
    page: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Template:
    """`name` is what the subscription prompt calls it; texts hold {placeholders} of `params`."""

    code: str
    name: str
    title: str
    body: str
    page: str
    fields: Mapping[str, str]
    params: frozenset[str]

    def render(self, params: Mapping[str, str]) -> Rendered:
        """Raise ValueError when a placeholder has no value."""
        missing = self.params - params.keys()
        if missing:
            raise ValueError(f"template {self.code} lacks {', '.join(sorted(missing))}")
        return Rendered(
            title=self.title.format_map(params),
            body=self.body.format_map(params),
            page=self.page.format_map(params),
            fields={field: text.format_map(params) for field, text in self.fields.items()},
        )


def load(path: Path = SHIPPED) -> dict[str, Template]:
    """The templates of a file by code; ValueError when one is not well formed."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    templates = [_template(entry) for entry in entries["templates"]]
    by_code = {template.code: template for template in templates}
    if len(by_code) != len(templates):
        raise ValueError("two templates share a code")
    return by_code


def _template(entry: Mapping[str, Any]) -> Template:
    texts = [entry[name] for name in _TEXTS] + list(entry["fields"].values())
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError(f"template {entry.get('code')} lacks a text")
    placeholders = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}
    return Template(
        code=entry["code"],
        name=entry["name"],
        title=entry["title"],
        body=entry["body"],
        page=entry["page"],
        fields=dict(entry["fields"]),
        params=frozenset(placeholders),
    )
