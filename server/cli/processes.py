"""The processes: server, worker, and the two kept running."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.root import explained, imported, settings_of

if TYPE_CHECKING:
    from server.settings import Settings


@click.command()
@click.pass_context
def serve(context: click.Context) -> None:
    """Serve HTTP until told to stop."""
    settings, main = settings_of(context), imported("server.main")
    with explained():
        main.serve(settings)


@click.command()
@click.pass_context
def work(context: click.Context) -> None:
    """Drain the outbox and the inbox until told to stop."""
    settings, worker = settings_of(context), imported("server.worker")
    with explained():
        asyncio.run(worker.run(settings))


@click.command()
@click.option("--ready-file", type=click.Path(path_type=Path), help="Written once /readyz answers 200.")
@click.pass_context
def up(context: click.Context, ready_file: Path | None) -> None:
    """Keep server and worker running; starts them again when they end."""
    from server import supervisor

    settings = settings_of(context)
    base_url = f"http://{settings.http.host}:{settings.http.port}"
    ports = [(settings.http.host, port) for port in _ports(settings)]
    status = asyncio.run(
        supervisor.supervise(settings_file=context.obj, base_url=base_url, ready_file=ready_file, ports=ports)
    )
    if status:
        raise SystemExit(status)


def _ports(settings: "Settings") -> tuple[int, int, int]:
    return settings.http.port, settings.http.metrics_port, settings.worker.metrics_port
