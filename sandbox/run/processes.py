"""Processes of our own: each in a group of its own, waited for, and always ended."""

import codecs
import contextlib
import ctypes
import fcntl
import io
import locale
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_POLL_SECONDS = 0.05
_TAIL_LINES = 12
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class ProcessFailed(RuntimeError):
    """A process of ours ended, or did not get ready; the text says which one and where its log is."""


class Process:
    """A running program that writes to a log file; `stop` ends it and whatever it started."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = log
        with log.open("ab") as out:
            # A group of its own: Ctrl-C reaches us alone, and we end it in our order.
            self._popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(_end_with, os.getpid()),  # noqa: PLW1509 - we have one thread
            )

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def wait_for(self, ready_file: Path, *, seconds: float) -> str:
        """What the program writes into its ready file; raises ProcessFailed when it ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready_file.is_file():
            if not self.running:
                raise ProcessFailed(f"{self.name} ended with status {self._popen.returncode}; {self.last_words()}")
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.name} was not ready within {seconds:g} s; {self.last_words()}")
            time.sleep(_POLL_SECONDS)
        return ready_file.read_text(encoding="utf-8")

    def last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join([f"the end of {self.log}:", *(f"    {line}" for line in lines)])

    def stop(self, *, seconds: float = 30.0) -> None:
        """Ask with SIGTERM, then end what is left of its group."""
        try:
            if self.running:
                self._popen.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._popen.wait(seconds)
        finally:  # a second Ctrl-C does not leave anything running
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """ProcessFailed while another process holds the same lock; freed by the end of the block or of the process."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ProcessFailed(f"another one is running ({lock} is locked)") from error
        yield


def stop_on_signals() -> None:
    """SIGINT, SIGTERM and a terminal that closes raise KeyboardInterrupt, even where SIGINT was ignored before us.

    Under nohup the terminal may close.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)


def environment() -> Mapping[str, str]:
    """Ours without settings of the product: an installation is described by its settings file alone.

    What it reads and writes is UTF-8, whatever the terminal speaks.
    """
    ours = {name: value for name, value in os.environ.items() if not name.upper().startswith("YICHUANG_")}
    return {**ours, "PYTHONUTF8": "1"}


def speak_utf8() -> None:
    """Start again in UTF-8 mode where the locale is another; what the terminal cannot show becomes a question mark."""
    spoken = codecs.lookup(locale.getencoding()).name
    if spoken != "utf-8" and not sys.flags.utf8_mode:
        again = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONUTF8": "1"})  # noqa: S606 - ourselves
    # The bare "C" says nothing of the terminal, and most read UTF-8.
    wanted = None if spoken == "ascii" or os.environ.get("PYTHONIOENCODING") else spoken
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=wanted, errors="replace")


def _end_with(parent: int) -> None:
    """In the child, before its program: when `parent` is killed without a word, the kernel sends SIGTERM."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was killed meanwhile
        os.kill(os.getpid(), signal.SIGTERM)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
