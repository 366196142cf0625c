"""What an installation needs before it serves: keys, tables, what is shipped, offices; and whether all of it fits."""

import asyncio
from pathlib import Path

import click

from server.cli.root import explained, imported, settings_of


@click.command()
@click.option("--seed", type=click.Choice(["demo"]), help="Fill the registry as `seed` does, in one go.")
@click.pass_context
def prepare(context: click.Context, seed: str | None) -> None:
    """Make what is missing: keys, tables, the shipped catalogue. Safe to repeat."""
    settings, setup = settings_of(context), imported("server.setup")
    with explained():
        lines = asyncio.run(setup.prepare(settings, demo=seed == "demo"))
    for line in lines:
        click.echo(line)


@click.command()
@click.pass_context
def migrate(context: click.Context) -> None:
    """Bring the database to the newest migration."""
    settings, setup = settings_of(context), imported("server.setup")
    asyncio.run(setup.migrate_database(settings))
    click.echo("the database is up to date")


@click.command()
@click.argument("what", type=click.Choice(["demo"]))
@click.pass_context
def seed(context: click.Context, what: str) -> None:
    """Fill the registry with the fictional units and certificates of the demo."""
    settings, setup = settings_of(context), imported("server.setup")
    with explained():
        asyncio.run(setup.seed_demo(settings))
    click.echo(f"seeded: {what}")


@click.group()
def offices() -> None:
    """The offices whose counters residents book."""


@offices.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def load_offices(context: click.Context, file: Path) -> None:
    """Bring offices in from a file in the shape of server/appointments/data/offices.yaml, or up to date."""
    settings, setup = settings_of(context), imported("server.setup")
    with explained():
        count = asyncio.run(setup.load_offices(settings, text=file.read_text(encoding="utf-8")))
    click.echo(f"offices: {count}")


@click.command()
@click.option("--connect", is_flag=True, help="Also ask the partners something harmless, such as for an access token.")
@click.pass_context
def check(context: click.Context, connect: bool) -> None:  # noqa: FBT001 - click passes options so
    """Check settings, keys, files, database and every adapter's configuration; exit 1 when one is wrong."""
    settings, checking = settings_of(context), imported("server.wiring.check")

    async def look() -> bool:
        fine = True
        async for row in checking.check(settings, connect=connect):
            click.echo(f"{'ok ' if row.ok else 'BAD'}  {row.what:<24} {row.says}")
            fine = fine and row.ok
        return fine

    if not asyncio.run(look()):
        raise SystemExit(1)
