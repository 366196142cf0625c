"""One file with everything, and back (embedded mode)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.root import settings_of

if TYPE_CHECKING:
    from server.settings import Settings


@click.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def backup(context: click.Context, target: Path) -> None:
    """Write one file with the database and all files (embedded mode), while the service runs."""
    from server import backup as backups

    database, files = _embedded(settings_of(context))
    try:
        manifest = backups.write(database=database, files=files, target=target)
    except backups.BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{target}: {len(manifest['sha256'])} files. Keep the keys in another place: they are not in it.")


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def restore(context: click.Context, source: Path) -> None:
    """Put a backup back where nothing is (embedded mode)."""
    from server import backup as backups

    database, files = _embedded(settings_of(context))
    try:
        manifest = backups.restore(source=source, database=database, files=files)
    except backups.BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"restored {len(manifest['sha256'])} files of {manifest['made_at']}")


def _embedded(settings: "Settings") -> tuple[Path, Path]:
    if not settings.database.url.startswith("sqlite:///") or settings.files.directory is None:
        raise click.ClickException("backup and restore are for SQLite and a folder; a city uses its own tools")
    return Path(settings.database.url.removeprefix("sqlite:///")), settings.files.directory
