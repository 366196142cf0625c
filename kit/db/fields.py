from datetime import UTC, datetime
from typing import Any

from tortoise import fields, models


class UtcDatetimeField(fields.DatetimeField):  # type: ignore[type-arg]
    """A moment in UTC: converts other zones, whose offset Tortoise 1.1 would lose, and refuses naive values.

    A model's constructor takes a naive value for UTC before this field sees it: always pass `needs.clock.now()`.
    """

    def to_db_value(self, value: Any, instance: type[models.Model] | models.Model) -> Any:
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError("a naive datetime has no place in the database")
            value = value.astimezone(UTC)
        return super().to_db_value(value, instance)


def id_field(**options: Any) -> Any:
    """A primary key made by `kit.ids` before insert: 32 lower-case hex characters."""
    return fields.CharField(max_length=32, primary_key=True, **options)


def ref_field(**options: Any) -> Any:
    """The id of a row of another feature: indexed, no foreign key."""
    options.setdefault("db_index", True)
    return fields.CharField(max_length=32, **options)


def code_field(**options: Any) -> Any:
    """A StrEnum value or a national code: lower_snake or digits, at most 32 characters."""
    options.setdefault("max_length", 32)
    return fields.CharField(**options)
