"""Stands where an outside system is not configured: whatever is asked of it is refused, with its name."""

from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from kit.errors import OutsideError


class Absent:
    """Any port of one system; each call raises OutsideError NOT_CONFIGURED, which only settings can mend."""

    def __init__(self, system: str) -> None:
        self._system = system

    def check_config(self) -> list[str]:
        return [f"{self._system} is not configured"]

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("__"):
            raise AttributeError(name)

        async def refuse(*_: Any, **__: Any) -> NoReturn:
            raise OutsideError(self._system, "NOT_CONFIGURED", f"{name} needs settings", permanent=False)

        return refuse


def absent(system: str) -> Any:
    """`Absent` under the type of whichever port it stands for."""
    return Absent(system)
