"""What the carriers' interfaces have in common: forms that ask, JSON that answers, Beijing's time without a zone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from kit.clock import SHANGHAI
from kit.errors import OutsideError
from kit.http import HttpClient

FORM = "application/x-www-form-urlencoded"
_OK = 200


class Wire(BaseModel):
    """A part of an answer: unknown fields are passed over, numbers taken for texts, values kept out of errors.

    A field that is null is one that was not sent: carriers send either for what they do not know.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, told: Any) -> Any:
        return {name: value for name, value in told.items() if value is not None} if isinstance(told, dict) else told


Part = TypeVar("Part", bound=Wire)


async def post_form(
    http: HttpClient, system: str, url: str, form: Mapping[str, str], *, content_type: str = FORM
) -> bytes:
    """The answer's body; any status but 200 is an OutsideError that may pass."""
    headers = {"Content-Type": content_type}
    answer = await http.request("POST", url, content=urlencode(form).encode(), headers=headers)
    if answer.status_code != _OK:
        raise OutsideError(system, f"HTTP_{answer.status_code}", "no answer of the interface", permanent=False)
    return answer.content


def read_part(system: str, model: type[Part], told: object) -> Part:
    """BAD_ANSWER when it has not the documented form."""
    try:
        return model.model_validate(told)
    except ValidationError:
        raise bad_answer(system, model.__name__) from None


def moment_of(system: str, text: str) -> datetime:
    """BAD_ANSWER for a time that is none."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    except ValueError:
        raise bad_answer(system, "a time that is none") from None


def bad_answer(system: str, what: str) -> OutsideError:
    """What cannot be understood may be understood the next time."""
    return OutsideError(system, "BAD_ANSWER", what, permanent=False)
