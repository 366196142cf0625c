"""Starting our processes fast: one process has everything imported and forks the `yichuang` command on request.

A test that kills server and worker a hundred times would else spend its minutes importing. What is forked is a
process of its own with the same command line as in production, and is killed with a real SIGKILL.
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Nursery:
    """The warm process; `start` and `run` fork from it. Safe to use from several threads."""

    _process: subprocess.Popen[str] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("YICHUANG_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            cwd=ROOT,
            env=ours,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start(self, *arguments: str, log: Path, stdin: str = "", **environment: str) -> int:
        """Fork `yichuang <arguments>`, which writes to `log`; its pid."""
        asked = {"arguments": arguments, "log": str(log), "stdin": stdin, "environment": environment}
        return int(self._ask(asked)["pid"])

    def status(self, pid: int) -> int | None:
        """None while it runs; else its exit status, the negative signal's number when killed."""
        found: int | None = self._ask({"poll": pid})["status"]
        return found

    def close(self) -> None:
        """End the warm process; what it started has to have ended before."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait(timeout=60)

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the nursery has no pipes")
        with self._lock:
            if self._process.poll() is not None:
                raise RuntimeError("the nursery has ended: the product's modules cannot be imported")
            stdin.write(json.dumps(asked) + "\n")
            stdin.flush()
            answer: dict[str, Any] = json.loads(stdout.readline())
        return answer


def _main() -> None:
    from server import main, setup, worker  # noqa: F401 - the imports that are worth sharing
    from server.adapters import seal_keys  # noqa: F401 - the same
    from server.cli import cli

    ended: dict[int, int] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "poll" in asked:
            answer = {"status": _poll(asked["poll"], ended)}
        else:
            pid = os.fork()
            if pid == 0:
                _become(cli, asked)
            answer = {"pid": pid}
        print(json.dumps(answer), flush=True)  # noqa: T201 - the protocol with the test's process


def _poll(pid: int, ended: dict[int, int]) -> int | None:
    if pid not in ended:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found == 0:
            return None
        ended[pid] = os.waitstatus_to_exitcode(status)
    return ended[pid]


def _become(cli: Any, asked: dict[str, Any]) -> None:
    """The rest of a child's life; it never returns."""
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, target)
        sys.stdin = io.StringIO(asked["stdin"])
        os.environ.update(asked["environment"])
        cli.main(args=asked["arguments"], prog_name="yichuang", standalone_mode=False)
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # noqa: BLE001 - the log is where a child's end is explained
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _main()
