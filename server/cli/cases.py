"""Words to the parties of a case."""

import asyncio

import click

from server.cli.root import explained, imported, settings_of


@click.command()
@click.option("--case", "number", required=True, help="The case's number, or the application's.")
@click.option("--text", required=True, help="At most 100 characters; no identity, phone or card number.")
@click.option("--key", help="The same key again writes nothing; 8 to 64 letters, digits, - and _.")
@click.pass_context
def notify(context: click.Context, number: str, text: str, key: str | None) -> None:
    """Write to the parties of a case; prints the id of what was sent."""
    settings, setup = settings_of(context), imported("server.setup")
    with explained():
        click.echo(asyncio.run(setup.notify(settings, number=number, text=text, key=key)))
