"""What a figure stands on: a folder of its own, a private MariaDB, processes; all gone afterwards."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import mariadb

ROOT = Path(__file__).resolve().parent.parent
_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Server:
    """A contender: one process that serves HTTP."""

    pid: int
    url: str

    def get(self, path: str, token: str = "") -> bytes:
        """The body of one request; HTTPError unless it succeeds."""
        request = urllib.request.Request(self.url + path)  # noqa: S310 - always our own http address
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
            body: bytes = answer.read()
        return body


@dataclass
class Stage:
    """Hands out what a figure asks for; `stack` takes it all down again."""

    folder: Path
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    database: mariadb.MariaDb | None = None

    def schema(self, name: str) -> str:
        """The address of an empty schema on the run's MariaDB, started when first asked for."""
        if self.database is None:
            self.database = mariadb.start()
            self.stack.callback(self.database.stop)
        return mariadb.fresh_schema(self.database.port, name)

    def command(self, *arguments: str) -> None:
        """Run `python <arguments>` from the project's root to its end; RuntimeError with what it said."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `python <arguments>`; its output goes to a file."""
        with (self.folder / f"{name}.log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=environment(), stdout=output, stderr=output
            )
        self.stack.callback(stop, process)
        return process

    def serve(self, name: str, *arguments: str, url: str, ready: str) -> Server:
        """Start `python <arguments>` and wait until GET `ready` answers; its output goes to a file."""
        process, path = self.start(name, *arguments), self.folder / f"{name}.log"
        server = Server(process.pid, url)
        deadline = time.monotonic() + _READY_SECONDS
        while not _answers(server, ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start:\n{path.read_text(encoding='utf-8')[-2000:]}")
            time.sleep(0.05)
        return server


def environment() -> dict[str, str]:
    """Ours without settings of the person who measures."""
    return {name: value for name, value in os.environ.items() if not name.startswith("YICHUANG_")}


def _answers(server: Server, path: str) -> bool:
    try:
        server.get(path)
    except urllib.error.HTTPError:
        return True  # it serves; what it says to a stranger does not matter here
    except OSError:
        return False
    return True


def stop(process: subprocess.Popen[bytes]) -> None:
    """End it, by force when it does not go; nothing when it has ended."""
    process.terminate()
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """A stage for the length of a run."""
    folder = Path(tempfile.mkdtemp(prefix="yichuang-bench-"))
    made = Stage(folder)
    made.stack.callback(shutil.rmtree, folder, ignore_errors=True)
    with made.stack:
        yield made
