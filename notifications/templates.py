"""Message templates: data, with the words that residents read; shipped as YAML, and saved by staff as versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from string import Formatter
from typing import Any

import orjson
import yaml

SHIPPED = Path(__file__).parent / "data" / "templates.yaml"
TEXTS = ("name", "title", "body", "page")
WALLETS = ("wechat", "alipay")


class SmsUse(StrEnum):
    """Whether a message that no wallet delivered goes as a text message."""

    NEVER = "never"
    FALLBACK = "fallback"


class VariableKind(StrEnum):
    """What a placeholder stands for; `free` is a person's own words, `id` one of our ids."""

    TEXT = "text"
    FREE = "free"
    CODE = "code"
    NUMBER = "number"
    AMOUNT = "amount"
    TIME = "time"
    DATE = "date"
    PHRASE = "phrase"
    NAME = "name"
    PHONE = "phone"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Variable:
    """`longest` is the longest value that must fit whole everywhere; a longer one is shortened when it is sent."""

    kind: VariableKind
    longest: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What is not told by a wallet's public pages, so a city can set it: lengths in UTF-16 units, data in bytes.

    `sms_day`: text messages to one person within a day, as each of them costs money.
    """

    alipay_value: int = 32
    alipay_data: int = 2048
    sms_param: int = 32
    sms_text: int = 500
    sms_day: int = 10


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to be read: in the inbox, and as the raw fields of each channel's template."""

    title: str
    body: str
    page: str
    channels: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Template:
    """One version; `name` is what the subscription prompt calls it, texts hold {placeholders} of `variables`.

    `wechat` and `alipay` are the fields of the templates applied for there; `sms_text` is the text approved by the
    provider, whose placeholders are numbered in the order of their first appearance.
    """

    code: str
    name: str
    title: str
    body: str
    page: str
    wechat: Mapping[str, str]
    alipay: Mapping[str, str]
    sms: SmsUse = SmsUse.NEVER
    sms_text: str = ""
    variables: Mapping[str, Variable] = field(default_factory=dict)
    version: int = 1

    @property
    def params(self) -> frozenset[str]:
        """The placeholders of all its texts."""
        return frozenset(name for text in self._texts() for name in placeholders(text))

    @property
    def sms_params(self) -> tuple[str, ...]:
        """The placeholders of the text message, as the provider numbers them."""
        return tuple(dict.fromkeys(placeholders(self.sms_text)))

    def render(self, params: Mapping[str, str]) -> Rendered:
        """Raise ValueError when a placeholder has no value."""
        missing = self.params - params.keys()
        if missing:
            raise ValueError(f"template {self.code} lacks {', '.join(sorted(missing))}")
        return Rendered(
            title=self.title.format_map(params),
            body=self.body.format_map(params),
            page=self.page.format_map(params),
            channels={
                "wechat": {name: text.format_map(params) for name, text in self.wechat.items()},
                "alipay": {name: text.format_map(params) for name, text in self.alipay.items()},
                "sms": {str(place): params[name] for place, name in enumerate(self.sms_params, start=1)},
            },
        )

    def content(self) -> str:
        """What is kept of it as a row, canonical JSON."""
        kept = {
            **{name: getattr(self, name) for name in TEXTS},
            "wechat": dict(self.wechat),
            "alipay": dict(self.alipay),
            "sms": self.sms.value,
            "sms_text": self.sms_text,
            "variables": {name: [each.kind.value, each.longest] for name, each in self.variables.items()},
        }
        return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()

    def _texts(self) -> Iterator[str]:
        yield from (self.title, self.body, self.page, self.sms_text)
        yield from self.wechat.values()
        yield from self.alipay.values()


def placeholders(text: str) -> Iterator[str]:
    """The names in braces; ValueError for braces that are none, and for anything but a plain name in them."""
    for _, name, spec, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError("a placeholder is a name in braces and nothing more")
        yield name


def from_content(code: str, version: int, content: str) -> Template:
    """The template that `Template.content` wrote."""
    kept = orjson.loads(content)
    variables = {name: Variable(VariableKind(kind), longest) for name, (kind, longest) in kept["variables"].items()}
    return Template(code=code, version=version, **{**kept, "sms": SmsUse(kept["sms"]), "variables": variables})


def load(path: Path = SHIPPED) -> dict[str, Template]:
    """The templates of a file by code; ValueError when one is not well formed."""
    shipped = yaml.safe_load(path.read_text(encoding="utf-8"))
    variables = {
        name: Variable(VariableKind(each["kind"]), each["longest"]) for name, each in shipped["variables"].items()
    }
    templates = [_template(entry, variables) for entry in shipped["templates"]]
    by_code = {template.code: template for template in templates}
    if len(by_code) != len(templates):
        raise ValueError("two templates share a code")
    return by_code


def _template(entry: Mapping[str, Any], variables: Mapping[str, Variable]) -> Template:
    """`fields` are WeChat's; Alipay's keywords are the same texts in their order unless `alipay` has its own."""
    given: dict[str, Any] = {name: entry.get(name) for name in ("code", *TEXTS)}
    wechat: Mapping[str, str] = entry["fields"]
    alipay = entry.get("alipay") or {f"keyword{place}": text for place, text in enumerate(wechat.values(), start=1)}
    if not all(isinstance(text, str) and text for text in (*given.values(), *wechat.values(), *alipay.values())):
        raise ValueError(f"template {entry.get('code')} lacks a text")
    sms = SmsUse(entry.get("sms", SmsUse.NEVER))
    made = Template(**given, wechat=wechat, alipay=alipay, sms=sms, sms_text=entry.get("sms_text", ""))
    unknown = made.params - variables.keys()
    if unknown:
        raise ValueError(f"template {made.code} has undeclared {', '.join(sorted(unknown))}")
    return replace(made, variables={name: variables[name] for name in sorted(made.params)})
