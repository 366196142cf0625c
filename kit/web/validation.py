"""Input through pydantic, every complaint with a field, a stable code and a Chinese sentence, never the value."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kit.errors import FieldError
from kit.web.errors import InvalidContent, NotReadable

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""An id as `kit.ids` makes them."""


class Input(BaseModel):
    """What a caller sends: unknown fields refused, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Empty(Input):
    """A command without content: `{}`."""


class Query(BaseModel):
    """What a caller puts behind the question mark: text, so conversions are needed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """What we answer."""

    model_config = ConfigDict(frozen=True)


M = TypeVar("M", bound=BaseModel)

_SENTENCES = {
    "missing": "请填写这一项",
    "extra_forbidden": "这一项不需要填写，请去掉",
    "string_type": "请填写文字",
    "string_too_short": "内容太短，请补充",
    "string_too_long": "内容太长，请缩短",
    "string_pattern_mismatch": "格式不正确，请核对",
    "int_type": "请填写整数",
    "int_from_float": "请填写整数",
    "int_parsing": "请填写整数",
    "bool_type": "请选择是或否",
    "greater_than": "数值太小，请核对",
    "greater_than_equal": "数值太小，请核对",
    "less_than": "数值太大，请核对",
    "less_than_equal": "数值太大，请核对",
    "list_type": "格式不正确，请核对",
    "too_short": "项目太少，请补充",
    "too_long": "项目太多，请减少",
    "enum": "请从给出的选项中选择",
    "literal_error": "请从给出的选项中选择",
    "dict_type": "格式不正确，请核对",
    "model_type": "格式不正确，请核对",
}
_MOST_ERRORS = 50
_LONGEST_PATH = 128
_CODE = re.compile(r"^[A-Z][A-Z0-9_]+$")


def from_json(model: type[M], raw: bytes) -> M:
    """`raw` as a model; NOT_READABLE when it is not JSON, INVALID_CONTENT with every wrong field otherwise."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        problem = _problem(error)
    raise problem


def from_query(model: type[M], values: Mapping[str, str | Sequence[str]]) -> M:
    """Query values as a model; INVALID_CONTENT with every wrong field, also with one that is given twice."""
    twice = [name for name, given in values.items() if not isinstance(given, str) and len(given) > 1]
    if twice:
        raise InvalidContent(errors=[FieldError(_cut(name), "REPEATED", "这一项只能填写一次") for name in twice])
    values = {name: given if isinstance(given, str) else given[0] for name, given in values.items()}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problem = _problem(error)
    raise problem


def _problem(error: ValidationError) -> NotReadable | InvalidContent:
    details = error.errors(include_url=False, include_input=False)
    if any(detail["type"] == "json_invalid" for detail in details):
        return NotReadable()
    return InvalidContent(errors=[_field_error(detail) for detail in details[:_MOST_ERRORS]])


def _cut(path: str) -> str:
    """The name of an unknown field is the sender's: as long as they like."""
    return path[:_LONGEST_PATH]


def _field_error(detail: Any) -> FieldError:
    field = _cut(".".join(str(part) for part in detail["loc"])) or "$"
    cause = detail.get("ctx", {}).get("error")
    code, sentence = getattr(cause, "code", None), getattr(cause, "sentence", None)
    if isinstance(code, str) and _CODE.match(code) and isinstance(sentence, str):
        return FieldError(field, code, sentence)
    return FieldError(field, detail["type"].upper(), _SENTENCES.get(detail["type"], "内容不正确，请核对"))
