"""The wallets' bills against our books."""

import asyncio
from datetime import datetime

import click

from server.cli.root import explained, imported, settings_of


@click.command()
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="A day in China, such as 2026-11-20.")
@click.option("--wallet", type=click.Choice(["wechat", "alipay"]), help="One wallet; all of them when left out.")
@click.pass_context
def reconcile(context: click.Context, day: "datetime", wallet: str | None) -> None:
    """Hold the wallets' bills of a day against our books; exit 1 when something is unexplained."""
    settings, once = settings_of(context), imported("server.setup")
    with explained():
        lines, fine = asyncio.run(once.reconcile(settings, day=day.date(), wallet=wallet))
    for line in lines:
        click.echo(line)
    if not fine:
        raise SystemExit(1)
