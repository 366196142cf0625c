"""The `yichuang` command."""

import asyncio
import json
import sys
from pathlib import Path

import click

from server import backup as backups
from server import main, setup, supervisor, worker
from server.settings import Settings, read


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


def _settings(context: click.Context) -> Settings:
    try:
        return read(context.obj)
    except (FileNotFoundError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@cli.command()
@click.pass_context
def prepare(context: click.Context) -> None:
    """Make what is missing: keys, tables, the shipped catalogue. Safe to repeat."""
    for line in asyncio.run(setup.prepare(_settings(context))):
        click.echo(line)


@cli.command()
@click.pass_context
def migrate(context: click.Context) -> None:
    """Bring the database to the newest migration."""
    asyncio.run(setup.migrate_database(_settings(context)))
    click.echo("the database is up to date")


@cli.command()
@click.argument("what", type=click.Choice(["demo"]))
@click.pass_context
def seed(context: click.Context, what: str) -> None:
    """Fill the registry with the fictional units and certificates of the demo."""
    asyncio.run(setup.seed_demo(_settings(context)))
    click.echo(f"seeded: {what}")


@cli.group()
def staff() -> None:
    """Accounts of officers, operators, auditors and administrators."""


@staff.command("create")
@click.option("--username", required=True)
@click.option("--name", required=True, help="The person's name, as shown to colleagues.")
@click.option("--role", "roles", multiple=True, required=True, help="officer, operator, auditor or admin; repeatable.")
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
    created = asyncio.run(
        setup.create_staff(
            _settings(context), username=username, name=name, roles=roles, districts=districts, password=password
        )
    )
    click.echo(json.dumps(created, ensure_ascii=False))


@cli.command()
@click.pass_context
def serve(context: click.Context) -> None:
    """Serve HTTP until told to stop."""
    main.serve(_settings(context))


@cli.command()
@click.pass_context
def work(context: click.Context) -> None:
    """Drain the outbox and the inbox until told to stop."""
    asyncio.run(worker.run(_settings(context)))


@cli.command()
@click.option("--ready-file", type=click.Path(path_type=Path), help="Written once /readyz answers 200.")
@click.pass_context
def up(context: click.Context, ready_file: Path | None) -> None:
    """Keep server and worker running; starts them again when they end."""
    settings = _settings(context)
    base_url = f"http://{settings.http.host}:{settings.http.port}"
    asyncio.run(supervisor.supervise(settings_file=context.obj, base_url=base_url, ready_file=ready_file))


@cli.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Check settings, keys, database and every outside system's configuration; exit 1 when one is wrong."""
    rows = asyncio.run(setup.check(_settings(context)))
    for row in rows:
        click.echo(f"{'ok ' if row.ok else 'BAD'}  {row.what:<24} {row.says}")
    if not all(row.ok for row in rows):
        raise SystemExit(1)


@cli.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def backup(context: click.Context, target: Path) -> None:
    """Write one file with the database and all files (embedded mode), while the service runs."""
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
    database, files = _embedded(_settings(context))
    try:
        manifest = backups.restore(source=source, database=database, files=files)
    except backups.BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"restored {len(manifest['sha256'])} files of {manifest['made_at']}")


def _embedded(settings: Settings) -> tuple[Path, Path]:
    if not settings.database.url.startswith("sqlite:///") or settings.files.directory is None:
        raise click.ClickException("backup and restore are for SQLite and a folder; a city uses its own tools")
    return Path(settings.database.url.removeprefix("sqlite:///")), settings.files.directory


if __name__ == "__main__":
    cli()
