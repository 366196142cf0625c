"""Any port, failing on purpose: what happens to a caller when the other side refuses, is down, or loses the answer."""

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Failing:
    """Stands before a port and raises the given errors, one a call, before it lets calls through.

    With `after`, the call is carried out first and its answer lost: the other side has acted and we do not know.
    `methods` limits it to some of the port's methods; the others always pass. `called` counts the calls that met an
    error or were let through.
    """

    def __init__(
        self,
        port: object,
        errors: Iterable[BaseException],
        *,
        after: bool = False,
        methods: Collection[str] | None = None,
    ) -> None:
        self._port = port
        self._errors = list(errors)
        self._after = after
        self._methods = methods
        self.called = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found) or (self._methods is not None and name not in self._methods):
            return found
        return self._awaiting(found) if inspect.iscoroutinefunction(found) else self._calling(found)

    def _awaiting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            error = self._next()
            if error is not None and not self._after:
                raise error
            answer = await method(*args, **kwargs)
            if error is not None:
                raise error
            return answer

        return call

    def _calling(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            error = self._next()
            if error is not None and not self._after:
                raise error
            answer = method(*args, **kwargs)
            if error is not None:
                raise error
            return answer

        return call

    def _next(self) -> BaseException | None:
        self.called += 1
        return self._errors.pop(0) if self._errors else None


def failing(
    port: T, errors: Iterable[BaseException], *, after: bool = False, methods: Collection[str] | None = None
) -> T:
    """`Failing` under the port's own type."""
    return cast("T", Failing(port, errors, after=after, methods=methods))
