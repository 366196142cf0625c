import os
import time
from pathlib import Path

import pytest

from sandbox.run.processes import Process, ProcessFailed, environment, only_one, python

PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(60)
"""


def alive(pid: int) -> bool:
    """A process nobody has waited for yet is a zombie, which is as good as gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_stopping_ends_what_it_started_too(tmp_path: Path):
    process = Process("parent", python("-c", PARENT, str(tmp_path / "ready")), tmp_path / "log")
    deadline = time.monotonic() + 10
    while not (tmp_path / "ready").exists() or not (tmp_path / "ready").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child = int(process.wait_for(tmp_path / "ready", seconds=10))
    assert process.running
    assert alive(child)
    process.stop()
    assert not process.running
    while alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_that_ends_early_is_reported_with_its_last_words(tmp_path: Path):
    process = Process("broken", python("-c", "print('no such table'); raise SystemExit(3)"), tmp_path / "log")
    with pytest.raises(ProcessFailed, match=r"(?s)broken ended with status 3.*no such table"):
        process.wait_for(tmp_path / "ready", seconds=10)
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
