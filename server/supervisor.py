"""Embedded mode's supervisor: keeps the server and the worker running, and stops both in good order."""

import asyncio
import contextlib
import ctypes
import errno
import functools
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from kit.log import configure, get_logger

STOP_SECONDS = 20.0
READY_SECONDS = 60.0
CANNOT_START = 2
"""With this status a child says that its settings, keys or ports are wrong; nothing is gained by starting it again."""
_STEADY_SECONDS = 10.0
_FIRST_DELAY, _LONGEST_DELAY = 0.2, 10.0
_PR_SET_PDEATHSIG = 1
log = get_logger("supervisor")


@dataclass
class Child:
    """One process that is started again whenever it ends by itself."""

    name: str
    command: Sequence[str]
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    on_start: Callable[[], None] = field(default=lambda: None)

    async def keep(self, stopping: asyncio.Event, *, proven: Callable[[], bool]) -> int:
        """Start, wait for the end, start again; slower each time it ends soon. Stops it when told to.

        Until the house has `proven` that it can work, a child that cannot start ends everything; 0 otherwise.
        """
        delay = _FIRST_DELAY
        while not stopping.is_set():
            started = time.monotonic()
            code = await self._run(stopping)
            if stopping.is_set():
                return 0
            if code == CANNOT_START and not proven():
                log.error("cannot_start", process=self.name, why="see above")
                stopping.set()
                return code
            self.restarts += 1
            delay = _FIRST_DELAY if time.monotonic() - started > _STEADY_SECONDS else min(delay * 2, _LONGEST_DELAY)
            log.warning("ended", process=self.name, status=code, again_in_seconds=round(delay, 1))
            await _wait(stopping, delay)
        return 0

    async def _run(self, stopping: asyncio.Event) -> int:
        self.process = process = await asyncio.create_subprocess_exec(
            *self.command, preexec_fn=functools.partial(_die_with_parent, os.getpid()), start_new_session=True
        )
        self.on_start()
        ended, told = asyncio.create_task(process.wait()), asyncio.create_task(stopping.wait())
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not ended.done():
            await _end(process)
        return await ended


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, and insist after STOP_SECONDS."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), timeout=STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), timeout=seconds)


def _die_with_parent(parent: int) -> None:
    """A supervisor that is killed takes its children along (Linux); the ports are free again then."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # killed between the fork and now
            os._exit(1)


async def supervise(
    *,
    settings_file: Path,
    base_url: str,
    ready_file: Path | None,
    ports: Iterable[tuple[str, int]] = (),
    commands: Mapping[str, Sequence[str]] | None = None,
) -> int:
    """Run `serve` and `work` until SIGTERM or SIGINT; 0 then, CANNOT_START when a child cannot or a port is taken.

    `ready_file` is written once /readyz answers 200, and again when a process was replaced: JSON with `base_url` and
    the process ids `supervisor`, `server` and `worker`. It is gone when the supervisor is.
    """
    configure()
    taken = [f"{host} port {port}" for host, port in ports if not _is_free(host, port)]
    if taken:
        log.error("port_taken", ports=taken, help=f"end who listens there, or name other ports in {settings_file}")
        return CANNOT_START
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    ready = _ReadyFile(ready_file, base_url)
    ready.remove()  # one that a killed supervisor left would name processes of others
    children = [Child(name, command) for name, command in (commands or _commands(settings_file)).items()]
    for child in children:
        child.on_start = lambda: ready.write(children)
    try:
        async with asyncio.TaskGroup() as tasks:
            kept = [tasks.create_task(child.keep(stopping, proven=lambda: ready.announced)) for child in children]
            tasks.create_task(_announce(children, base_url, ready, stopping))
    finally:
        ready.remove()
    return max(task.result() for task in kept)


def _is_free(host: str, port: int) -> bool:
    """Whether a child could listen there; 0 is none at all. What is wrong with the address, the child says."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return error.errno != errno.EADDRINUSE
    return True


def _commands(settings_file: Path) -> dict[str, list[str]]:
    command = [sys.executable, "-m", "server.cli", "--settings", str(settings_file)]
    return {"server": [*command, "serve"], "worker": [*command, "work"]}


async def _announce(children: list[Child], base_url: str, ready: "_ReadyFile", stopping: asyncio.Event) -> None:
    deadline = time.monotonic() + READY_SECONDS
    async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
        while not stopping.is_set() and not await _answers(client, base_url):
            if time.monotonic() > deadline:
                log.warning("not_ready_yet", seconds=READY_SECONDS)
                deadline = time.monotonic() + READY_SECONDS
            await _wait(stopping, 0.1)
    if not stopping.is_set():
        log.info("ready", base_url=base_url)
        ready.announced = True
        ready.write(children)


async def _answers(client: httpx.AsyncClient, base_url: str) -> bool:
    try:
        return (await client.get(f"{base_url}/readyz")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@dataclass
class _ReadyFile:
    """Tells scripts that the house is ready, and which processes it is."""

    path: Path | None
    base_url: str
    announced: bool = False

    def write(self, children: list[Child]) -> None:
        if self.path is None or not self.announced:
            return
        pids = {child.name: child.process.pid for child in children if child.process is not None}
        temporary = self.path.with_name(f"{self.path.name}.new")
        temporary.write_text(json.dumps({"base_url": self.base_url, "supervisor": os.getpid(), **pids}))
        temporary.rename(self.path)

    def remove(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)
