"""What a process does before its work: fill the house, take its ports; or say in one sentence why it cannot."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server


class CannotStart(Exception):
    """Keys, secrets or ports are not as they must be; the text is for the operator, and holds no secret."""


@contextmanager
def keys_and_secrets() -> Iterator[None]:
    """What reading them raises, as CannotStart."""
    try:
        yield
    except FileNotFoundError as error:
        missing = error.filename or error
        raise CannotStart(f"{missing} is missing; `yichuang prepare` makes the keys that are ours to make") from error
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise CannotStart(f"{type(error).__name__}: {error}") from error


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on a port of ours; CannotStart when somebody else has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise CannotStart(_taken(host, port, error)) from error


def serve_metrics(host: str, port: int) -> None:
    """Answer Prometheus from a thread; 0 means not at all. CannotStart when somebody else has the port."""
    if port == 0:
        return
    try:
        start_http_server(port, addr=host)
    except OSError as error:
        raise CannotStart(_taken(host, port, error)) from error


def _taken(host: str, port: int, error: OSError) -> str:
    why = os.strerror(error.errno) if error.errno else type(error).__name__
    return f"cannot listen on {host} port {port}: {why}"
