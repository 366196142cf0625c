"""Lists, a page at a time: by the id of the last row, without totals."""

from collections.abc import Sequence
from typing import Annotated, Protocol, TypeVar

from pydantic import Field

from kit.web.validation import Id, Query


class Identified(Protocol):
    """A row that a cursor can name."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Identified)


class Page(Query):
    """At most `limit` rows, beyond the one that `cursor` names."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Id | None = None

    @property
    def wanted(self) -> int:
        """How many rows to look for: one more than is shown tells whether others follow."""
        return self.limit + 1

    def cut(self, found: Sequence[R]) -> tuple[Sequence[R], str | None]:
        """Of up to `wanted` rows those to show, and the cursor of the next page, None when this is the last."""
        shown = found[: self.limit]
        return shown, shown[-1].id if len(found) > self.limit else None
