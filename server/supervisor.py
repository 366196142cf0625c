"""Embedded mode's supervisor: keeps the server and the worker running, and stops both in order."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

STOP_SECONDS = 20.0
READY_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process that is started again whenever it ends by itself."""

    name: str
    command: list[str]
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    started: float = field(default=0.0)

    async def start(self) -> None:
        self.started = time.monotonic()
        self.process = await asyncio.create_subprocess_exec(
            *self.command, preexec_fn=_die_with_parent, start_new_session=True
        )

    async def keep(self, stopping: asyncio.Event) -> None:
        """Start, wait for the end, start again; slower each time it ends within ten seconds."""
        delay = 0.2
        while not stopping.is_set():
            await self.start()
            process = self.process
            if process is None:
                return
            code = await process.wait()
            if stopping.is_set():
                return
            self.restarts += 1
            delay = 0.2 if time.monotonic() - self.started > 10 else min(delay * 2, 10)  # noqa: PLR2004 - seconds
            print(f"{self.name} ended with {code}; starting it again", flush=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), timeout=delay)

    def terminate(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()

    async def end(self) -> None:
        """Wait for the end, at most STOP_SECONDS, then insist."""
        if self.process is None or self.process.returncode is not None:
            return
        try:
            await asyncio.wait_for(self.process.wait(), timeout=STOP_SECONDS)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


def _die_with_parent() -> None:
    """A supervisor that is killed takes its children along (Linux); the ports are free again then."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def supervise(*, settings_file: Path, base_url: str, ready_file: Path | None) -> None:
    """Run `serve` and `work` until SIGTERM or SIGINT; write `ready_file` once /readyz answers 200."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    command = [sys.executable, "-m", "server.cli", "--settings", str(settings_file)]
    children = [Child("server", [*command, "serve"]), Child("worker", [*command, "work"])]
    keepers = [asyncio.create_task(child.keep(stopping)) for child in children]
    announcing = asyncio.create_task(_announce(children, base_url, ready_file, stopping))
    await stopping.wait()
    for child in children:
        child.terminate()
    await asyncio.gather(*(child.end() for child in children))
    await asyncio.gather(*keepers, announcing)


async def _announce(children: list[Child], base_url: str, ready_file: Path | None, stopping: asyncio.Event) -> None:
    deadline = time.monotonic() + READY_SECONDS
    async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
        while not stopping.is_set():
            if await _ready(client, base_url):
                break
            if time.monotonic() > deadline:
                print(f"not ready after {READY_SECONDS:.0f} s; see the log", flush=True)
                deadline = time.monotonic() + READY_SECONDS
            await asyncio.sleep(0.1)
    if stopping.is_set():
        return
    print(f"ready: {base_url}/docs", flush=True)
    if ready_file is not None:
        _write(ready_file, children, base_url)


async def _ready(client: httpx.AsyncClient, base_url: str) -> bool:
    try:
        return (await client.get(f"{base_url}/readyz")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _write(ready_file: Path, children: list[Child], base_url: str) -> None:
    pids = {child.name: child.process.pid for child in children if child.process is not None}
    temporary = ready_file.with_suffix(".new")
    temporary.write_text(json.dumps({"base_url": base_url, "supervisor": os.getpid(), **pids}))
    temporary.rename(ready_file)
