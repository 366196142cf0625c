import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from sandbox.run.processes import ROOT, Process, ProcessFailed, environment, only_one, python

PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(60)
"""

KEEPER = """
import pathlib, sys, time
from sandbox.run.processes import Process, python
ready = pathlib.Path(sys.argv[1])
code = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
Process("kept", python("-c", code, str(ready)), ready.with_name("log"))
time.sleep(600)
"""
WAITING = """
import signal, sys
from sandbox.run.processes import stop_on_signals
stop_on_signals()
try:
    print("waiting", flush=True)
    signal.pause()
except KeyboardInterrupt:
    print("stopped")
"""
SPEAKING = """
import pathlib, sys
from sandbox.run.installation import Installation
from sandbox.run.processes import ProcessFailed, speak_utf8
speak_utf8()
folder = pathlib.Path(sys.argv[1])
(folder / "logs").mkdir()
try:
    Installation(folder, "all", (1, 2, 3)).command("演示")
except ProcessFailed as failed:
    print(failed)
"""
# A locale that knows no Chinese; without the last two Python would help itself to UTF-8.
PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def read_when_written(path: Path) -> str:
    deadline = time.monotonic() + 60
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return path.read_text()


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """A process nobody has waited for yet is a zombie, which is as good as gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_stopping_ends_what_it_started_too(tmp_path: Path):
    process = Process("parent", python("-c", PARENT, str(tmp_path / "ready")), tmp_path / "log")
    read_when_written(tmp_path / "ready")
    child = int(process.wait_for(tmp_path / "ready", seconds=60))
    assert process.running
    assert alive(child)
    process.stop()
    assert not process.running
    wait_until_gone(child)


def test_whoever_is_killed_leaves_nothing_running(tmp_path: Path):
    with subprocess.Popen(python("-c", KEEPER, str(tmp_path / "ready")), cwd=ROOT) as keeper:
        kept = int(read_when_written(tmp_path / "ready"))
        assert alive(kept)
        keeper.kill()
    wait_until_gone(kept)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_in_order(number: signal.Signals):
    with subprocess.Popen(python("-c", WAITING), cwd=ROOT, stdout=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "waiting\n"
        waiting.send_signal(number)
        assert waiting.stdout.read() == "stopped\n"


def test_under_nohup_the_terminal_may_close():
    code = (
        "import signal; from sandbox.run.processes import stop_on_signals; stop_on_signals(); "
        "print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    )
    done = subprocess.run(["nohup", *python("-c", code)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize(("terminal", "shown"), [({}, "演示"), ({"PYTHONIOENCODING": "ascii"}, "??")])
def test_chinese_reaches_our_processes_in_a_locale_that_knows_none(
    tmp_path: Path, terminal: dict[str, str], shown: str
):
    done = subprocess.run(
        python("-c", SPEAKING.replace("演示", "\\u6f14\\u793a"), str(tmp_path)),
        cwd=ROOT,
        env={**os.environ, **PLAIN, **terminal},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert f"No such command '{shown}'" in done.stdout
    assert "No such command '演示'" in (tmp_path / "logs" / "commands.log").read_text(encoding="utf-8")


def test_one_that_ends_early_is_reported_with_its_last_words(tmp_path: Path):
    process = Process("broken", python("-c", "print('no such table'); raise SystemExit(3)"), tmp_path / "log")
    with pytest.raises(ProcessFailed, match=r"(?s)broken ended with status 3.*no such table"):
        process.wait_for(tmp_path / "ready", seconds=60)
    process.stop()


def test_one_that_never_gets_ready_is_reported(tmp_path: Path):
    process = Process("slow", python("-c", "import time; time.sleep(60)"), tmp_path / "log")
    with pytest.raises(ProcessFailed, match="slow was not ready within"):
        process.wait_for(tmp_path / "ready", seconds=0.3)
    process.stop()
    assert not process.running


def test_settings_in_our_environment_do_not_reach_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YICHUANG_HTTP__PORT", "1")
    assert "YICHUANG_HTTP__PORT" not in environment()
    assert environment()["PATH"] == os.environ["PATH"]


def test_a_second_one_is_told_that_the_first_is_running(tmp_path: Path):
    lock = tmp_path / "demo.lock"
    with only_one(lock), pytest.raises(ProcessFailed, match="another one is running"), only_one(lock):
        pass
    with only_one(lock):  # free again
        assert lock.exists()
