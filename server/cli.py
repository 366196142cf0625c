"""The `yichuang` command. Each command imports what it needs by itself: the whole house takes over a second."""

import asyncio
import gc
import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime

    from server.settings import Settings

CANNOT_START = 2
"""Exit status when settings, keys or ports are wrong: starting again by itself would not help."""


class Refused(click.ClickException):
    """Ends the command with one line instead of a traceback."""

    exit_code = CANNOT_START


_ROLES = "officer, operator, clerk, finance, auditor or admin; repeatable."
_OURS_ALONE = 0o077


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


def _settings(context: click.Context) -> "Settings":
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


def _imported(name: str) -> Any:
    """A module of the house, without the collector looking through thousands of new objects that all stay."""
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _explained() -> Iterator[None]:
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


@cli.command()
@click.option("--seed", type=click.Choice(["demo"]), help="Fill the registry as `seed` does, in one go.")
@click.pass_context
def prepare(context: click.Context, seed: str | None) -> None:
    """Make what is missing: keys, tables, the shipped catalogue. Safe to repeat."""
    settings, setup = _settings(context), _imported("server.setup")
    with _explained():
        lines = asyncio.run(setup.prepare(settings, demo=seed == "demo"))
    for line in lines:
        click.echo(line)


@cli.command()
@click.pass_context
def migrate(context: click.Context) -> None:
    """Bring the database to the newest migration."""
    settings, setup = _settings(context), _imported("server.setup")
    asyncio.run(setup.migrate_database(settings))
    click.echo("the database is up to date")


@cli.command()
@click.argument("what", type=click.Choice(["demo"]))
@click.pass_context
def seed(context: click.Context, what: str) -> None:
    """Fill the registry with the fictional units and certificates of the demo."""
    settings, setup = _settings(context), _imported("server.setup")
    with _explained():
        asyncio.run(setup.seed_demo(settings))
    click.echo(f"seeded: {what}")


@cli.group()
def offices() -> None:
    """The offices whose counters residents book."""


@offices.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def load_offices(context: click.Context, file: Path) -> None:
    """Bring offices in from a file in the shape of server/appointments/data/offices.yaml, or up to date."""
    settings, setup = _settings(context), _imported("server.setup")
    with _explained():
        count = asyncio.run(setup.load_offices(settings, text=file.read_text(encoding="utf-8")))
    click.echo(f"offices: {count}")


@cli.group()
def staff() -> None:
    """Accounts of officers, operators, finance, auditors and administrators."""


@staff.command("create")
@click.option("--username", required=True)
@click.option("--name", required=True, help="The person's name, as shown to colleagues.")
@click.option("--role", "roles", multiple=True, required=True, help=_ROLES)
@click.option("--district", "districts", multiple=True, help="Six digits; repeatable; none means every district.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@click.pass_context
def create_staff(
    context: click.Context,
    username: str,
    name: str,
    roles: tuple[str, ...],
    districts: tuple[str, ...],
    password_stdin: bool,  # noqa: FBT001 - click passes options so
) -> None:
    """Create an account; prints its id and the address for the authenticator app, once."""
    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    settings, setup = _settings(context), _imported("server.setup")
    account = {"username": username, "name": name, "roles": roles, "districts": districts, "password": password}
    with _explained():
        created = asyncio.run(setup.create_staff(settings, **account))
    click.echo(json.dumps(created, ensure_ascii=False))


@staff.command("disable")
@click.option("--username", required=True)
@click.pass_context
def disable_staff(context: click.Context, username: str) -> None:
    """Close an account at once; whoever is signed in with it is out within 5 seconds."""
    settings, setup = _settings(context), _imported("server.setup")
    with _explained():
        staff_id = asyncio.run(setup.disable_staff(settings, username=username))
    click.echo(f"disabled: {staff_id}")


@cli.command()
@click.option("--case", "number", required=True, help="The case's number, or the application's.")
@click.option("--text", required=True, help="At most 100 characters; no identity, phone or card number.")
@click.option("--key", help="The same key again writes nothing; 8 to 64 letters, digits, - and _.")
@click.pass_context
def notify(context: click.Context, number: str, text: str, key: str | None) -> None:
    """Write to the parties of a case; prints the id of what was sent."""
    settings, setup = _settings(context), _imported("server.setup")
    with _explained():
        click.echo(asyncio.run(setup.notify(settings, number=number, text=text, key=key)))


@cli.command()
@click.pass_context
def serve(context: click.Context) -> None:
    """Serve HTTP until told to stop."""
    settings, main = _settings(context), _imported("server.main")
    with _explained():
        main.serve(settings)


@cli.command()
@click.pass_context
def work(context: click.Context) -> None:
    """Drain the outbox and the inbox until told to stop."""
    settings, worker = _settings(context), _imported("server.worker")
    with _explained():
        asyncio.run(worker.run(settings))


@cli.command()
@click.option("--ready-file", type=click.Path(path_type=Path), help="Written once /readyz answers 200.")
@click.pass_context
def up(context: click.Context, ready_file: Path | None) -> None:
    """Keep server and worker running; starts them again when they end."""
    from server import supervisor

    settings = _settings(context)
    base_url = f"http://{settings.http.host}:{settings.http.port}"
    ports = [(settings.http.host, port) for port in _ports(settings)]
    status = asyncio.run(
        supervisor.supervise(settings_file=context.obj, base_url=base_url, ready_file=ready_file, ports=ports)
    )
    if status:
        raise SystemExit(status)


def _ports(settings: "Settings") -> tuple[int, int, int]:
    return settings.http.port, settings.http.metrics_port, settings.worker.metrics_port


@cli.command()
@click.option("--connect", is_flag=True, help="Also ask the partners something harmless, such as for an access token.")
@click.pass_context
def check(context: click.Context, connect: bool) -> None:  # noqa: FBT001 - click passes options so
    """Check settings, keys, files, database and every adapter's configuration; exit 1 when one is wrong."""
    settings, checking = _settings(context), _imported("server.wiring.check")

    async def look() -> bool:
        fine = True
        async for row in checking.check(settings, connect=connect):
            click.echo(f"{'ok ' if row.ok else 'BAD'}  {row.what:<24} {row.says}")
            fine = fine and row.ok
        return fine

    if not asyncio.run(look()):
        raise SystemExit(1)


@cli.group()
def docs() -> None:
    """The pages of docs/ that are generated from the code."""


@docs.command("write")
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path("docs"), show_default=True
)
def write_docs(folder: Path) -> None:
    """Write settings.md and errors.md anew."""
    for name, text in _imported("server.setup").documents().items():
        (folder / name).write_text(text, encoding="utf-8")
        click.echo(folder / name)


@cli.group()
def audit() -> None:
    """The audit trail."""


@audit.command("verify")
@click.pass_context
def verify_audit(context: click.Context) -> None:
    """Check the whole chain and its daily anchors; exit 1 when anything was changed, removed or forged."""
    settings, once = _settings(context), _imported("server.setup")
    with _explained():
        findings = asyncio.run(once.verify_audit(settings))
    for finding in findings:
        click.echo(f"{finding.fault} at {finding.seq}" + (f" (anchor of {finding.day})" if finding.day else ""))
    if findings:
        raise SystemExit(1)
    click.echo("the audit trail is as it was sealed")


@cli.group()
def keys() -> None:
    """The keys that personal data is sealed with: add, rotate, then retire an hour later."""


@contextmanager
def _key_kept() -> Iterator[None]:
    from kit.crypto.keys import KeyInUse, UnknownKey

    try:
        yield
    except KeyInUse as error:
        raise click.ClickException(f"not retired: {error}") from error
    except UnknownKey as error:
        raise click.ClickException(f"no key {error} in the ring") from error


@keys.command("add")
@click.pass_context
def add_key(context: click.Context) -> None:
    """Add a key and make it the current one; running processes seal with it within seconds."""
    from kit.crypto.keys import NOTICE_SECONDS

    settings, ring = _settings(context), _imported("server.wiring.keys")
    with _explained():
        key_id = ring.add(settings)
    click.echo(f"{key_id} is current; running processes follow within {NOTICE_SECONDS:.0f} seconds.")
    click.echo("Next: yichuang keys rotate")


@keys.command("rotate")
@click.pass_context
def rotate_keys(context: click.Context) -> None:
    """Seal anew what older keys sealed, beside the running service; safe to stop and to repeat."""
    settings, ring = _settings(context), _imported("server.wiring.keys")
    with _explained():
        left = asyncio.run(ring.rotate(settings, click.echo))
    if left:
        click.echo("not sealed with the current key:")
    for line in _sealed_lines(left):
        click.echo(line)
    if left:
        raise SystemExit(1)
    click.echo("everything is sealed with the current key")


@keys.command("status")
@click.pass_context
def key_status(context: click.Context) -> None:
    """Tell what each key has sealed, by column, and how many files."""
    settings, ring = _settings(context), _imported("server.wiring.keys")
    with _explained():
        current, found = asyncio.run(ring.status(settings))
    click.echo(f"current: {current}")
    for line in _sealed_lines(found):
        click.echo(line)


@keys.command("retire")
@click.argument("key_id")
@click.pass_context
def retire_key(context: click.Context, key_id: str) -> None:
    """Set a former key aside; refused while anything is sealed with it."""
    settings, ring = _settings(context), _imported("server.wiring.keys")
    with _explained(), _key_kept():
        aside = asyncio.run(ring.retire(settings, key_id))
    click.echo(f"{aside}: destroy it when no backup from before is needed any more. Restart the service to forget it.")


def _sealed_lines(counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    for key_id, counted in counts.items():
        yield f"{key_id or 'no key at all'}: {sum(counted.values())}"
        yield from (f"  {name}: {count}" for name, count in sorted(counted.items()))


@cli.command()
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="A day in China, such as 2026-11-20.")
@click.option("--wallet", type=click.Choice(["wechat", "alipay"]), help="One wallet; all of them when left out.")
@click.pass_context
def reconcile(context: click.Context, day: "datetime", wallet: str | None) -> None:
    """Hold the wallets' bills of a day against our books; exit 1 when something is unexplained."""
    settings, once = _settings(context), _imported("server.setup")
    with _explained():
        lines, fine = asyncio.run(once.reconcile(settings, day=day.date(), wallet=wallet))
    for line in lines:
        click.echo(line)
    if not fine:
        raise SystemExit(1)


@cli.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def backup(context: click.Context, target: Path) -> None:
    """Write one file with the database and all files (embedded mode), while the service runs."""
    from server import backup as backups

    database, files = _embedded(_settings(context))
    try:
        manifest = backups.write(database=database, files=files, target=target)
    except backups.BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{target}: {len(manifest['sha256'])} files. Keep the keys in another place: they are not in it.")


@cli.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def restore(context: click.Context, source: Path) -> None:
    """Put a backup back where nothing is (embedded mode)."""
    from server import backup as backups

    database, files = _embedded(_settings(context))
    try:
        manifest = backups.restore(source=source, database=database, files=files)
    except backups.BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"restored {len(manifest['sha256'])} files of {manifest['made_at']}")


def _embedded(settings: "Settings") -> tuple[Path, Path]:
    if not settings.database.url.startswith("sqlite:///") or settings.files.directory is None:
        raise click.ClickException("backup and restore are for SQLite and a folder; a city uses its own tools")
    return Path(settings.database.url.removeprefix("sqlite:///")), settings.files.directory


if __name__ == "__main__":
    cli()
