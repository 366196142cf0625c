"""python -m sandbox init DIR | serve DIR."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from sandbox import credentials
from sandbox.server import served

_PORTS = 65536


def main(arguments: list[str] | None = None) -> None:
    asked = _parser().parse_args(arguments)
    if asked.command == "init":
        _init(asked.directory)
    else:
        _serve(asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sandbox",
        description="The outside world on loopback: wallets, tax bureau, departments, carriers, text messages.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="make keys and ids once")
    serve = commands.add_parser("serve", help="serve until SIGTERM")
    for each in (init, serve):
        each.add_argument("directory", type=Path)
    serve.add_argument("--port", type=_port, default=0, help="0 takes a free one")
    serve.add_argument("--time-scale", type=float, default=1.0, help="factor on the waits between notifications")
    serve.add_argument("--ready-file", type=Path, help="gets the port once requests are served")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) >= _PORTS:
        raise argparse.ArgumentTypeError(f"{text} is no port; they go from 0 to {_PORTS - 1}")
    return int(text)


def _init(directory: Path) -> None:
    made = credentials.init(directory)
    print(f"sandbox: keys and ids {'made' if made else 'already there'} in {directory / 'credentials'}")


def _serve(asked: argparse.Namespace) -> None:
    try:
        asyncio.run(_until_stopped(asked))
    except FileNotFoundError as missing:
        sys.exit(f"sandbox: {missing.filename} is missing; run `python -m sandbox init {asked.directory}` first")
    except OSError as error:
        sys.exit(f"sandbox: cannot serve on port {asked.port}: {error.strerror}")


async def _until_stopped(asked: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if asked.ready_file:
        asked.ready_file.unlink(missing_ok=True)  # an earlier run's port would mislead whoever waits
    async with served(asked.directory, port=asked.port, time_scale=asked.time_scale) as running:
        if asked.ready_file:
            _announce(asked.ready_file, running.url.rpartition(":")[2])
        print(f"sandbox: {running.url} (time scale {asked.time_scale:g})", flush=True)
        await stop.wait()


def _announce(ready_file: Path, port: str) -> None:
    """Whoever waits for the file never reads half of it."""
    fresh = ready_file.with_name(ready_file.name + ".new")
    fresh.write_text(port)
    fresh.replace(ready_file)
