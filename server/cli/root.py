"""The command itself, and what every command under it shares.

Each command imports what it needs by itself: the whole house takes over a second.
"""

import gc
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from server.settings import Settings

_OURS_ALONE = 0o077
CANNOT_START = 2
"""Exit status when settings, keys or ports are wrong: starting again by itself would not help."""


class Refused(click.ClickException):
    """Ends the command with one line instead of a traceback."""

    exit_code = CANNOT_START


@click.group()
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="YICHUANG_SETTINGS",
    default=Path("yichuang.toml"),
    show_default=True,
    help="The TOML file; YICHUANG_SECTION__KEY overrides single values.",
)
@click.pass_context
def cli(context: click.Context, settings_file: Path) -> None:
    """One window for real-estate registration."""
    context.obj = settings_file
    # Whatever is written here, the database and its journal too, is the service's user's alone.
    before = os.umask(_OURS_ALONE)
    context.call_on_close(lambda: os.umask(before))


def settings_of(context: click.Context) -> "Settings":
    """The settings named before the command; Refused when they cannot be read."""
    from server.settings import read

    try:
        return read(context.obj)
    except (OSError, ValueError) as error:
        raise Refused(f"settings: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    """What is wrong, and where; pydantic's list of flaws without its links."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    flaws = [(".".join(map(str, flaw["loc"])), flaw["msg"]) for flaw in error.errors()]
    return "; ".join(f"{where}: {what}" if where else what for where, what in flaws)


def imported(name: str) -> Any:
    """A module of the house, without the collector looking through thousands of new objects that all stay."""
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def explained() -> Iterator[None]:
    """What is wrong with keys, secrets, ports or an account, said in one line."""
    from kit.errors import Problem
    from server.wiring import CannotStart

    try:
        yield
    except CannotStart as error:
        raise Refused(" ".join(str(error).split())) from error
    except Problem as error:
        said = [error.title, *(f"{flaw.field}: {flaw.message}" for flaw in error.errors)]
        raise click.ClickException("; ".join(said)) from error
