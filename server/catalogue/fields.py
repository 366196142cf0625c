from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from server.catalogue.expressions import Condition, ExpressionError, FactTypes, read_condition

_Word = TypeVar("_Word", bound=StrEnum)


class ContentError(ValueError):
    """Configured content that cannot be used: `where` is the dotted path, `sentence` (Chinese) the fault."""

    def __init__(self, where: str, sentence: str) -> None:
        super().__init__(f"{where}: {sentence}")
        self.where = where
        self.sentence = sentence


class Fields:
    """Reads one mapping field by field, with its path in every error; `done()` refuses what was not read."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, Mapping):
            raise ContentError(where, "应是一组“名称: 值”。")
        self.where = where
        self._data: dict[object, object] = dict(data)
        self._read: set[object] = set()

    def _get(self, key: str) -> object:
        self._read.add(key)
        return self._data.get(key)

    def fail(self, key: str, sentence: str) -> ContentError:
        return ContentError(f"{self.where}.{key}", sentence)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.fail(key, "应填写文字，不能为空。")
        return value.strip()

    def optional_text(self, key: str) -> str | None:
        return self.text(key, default="") or None

    def integer(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        value = self._get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.fail(key, f"应是{least}到{most}之间的整数。")
        return value

    def boolean(self, key: str, *, default: bool | None = None) -> bool:
        value = self._get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, bool):
            raise self.fail(key, "应是 true 或 false。")
        return value

    def word(self, key: str, kind: type[_Word], default: _Word | None = None) -> _Word:
        value = self._get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or value not in {member.value for member in kind}:
            raise self.fail(key, f"应是以下之一：{'、'.join(kind)}。")
        return kind(value)

    def words(self, key: str, kind: type[_Word]) -> tuple[_Word, ...]:
        return tuple(Fields({key: value}, self.where).word(key, kind) for value in self._list(key))

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(Fields({key: value}, self.where).text(key) for value in self._list(key))

    def day(self, key: str) -> date:
        day = self.optional_day(key)
        if day is None:
            raise self.fail(key, "应填写日期，例如 2026-01-01。")
        return day

    def optional_day(self, key: str) -> date | None:
        """YAML gives dates, JSON their text; both are read."""
        value = self._get(key)
        if value is None or type(value) is date:
            return value
        try:
            return date.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            raise self.fail(key, "应填写日期，例如 2026-01-01。") from None

    def days(self, key: str) -> tuple[date, ...]:
        return tuple(Fields({key: value}, self.where).day(key) for value in self._list(key))

    def condition(self, key: str, known: FactTypes, default: str | None = None) -> Condition:
        try:
            return read_condition(self.text(key, default), known)
        except ExpressionError as error:
            raise self.fail(key, error.sentence) from error

    def group(self, key: str) -> "Fields":
        return Fields(self._get(key), f"{self.where}.{key}")

    def groups(self, key: str) -> list["Fields"]:
        """The mappings of a list, which may be empty or absent."""
        return [Fields(item, f"{self.where}.{key}[{place}]") for place, item in enumerate(self._list(key))]

    def _list(self, key: str) -> list[object]:
        value = self._get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fail(key, "应是一个列表。")
        return value

    def done(self) -> None:
        unknown = sorted(str(key) for key in self._data.keys() - self._read)
        if unknown:
            raise ContentError(self.where, f"有不认识的项：{'、'.join(unknown)}。")
