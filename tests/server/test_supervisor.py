"""The supervisor in a process of its own, over two tiny commands in place of the server and the worker."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
SERVER = """
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
WORKER = """
import pathlib, signal, sys, time
note = pathlib.Path(sys.argv[1])
def end(*_):
    note.write_text("finished")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
note.write_text("working")
time.sleep(300)
"""
STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text("deaf")
time.sleep(300)
"""
FAILING = """
import pathlib, sys, time
with pathlib.Path(sys.argv[1]).open("a") as note:
    print(time.monotonic(), file=note)
sys.exit(3)
"""
RUN = """
import asyncio, json, pathlib, sys
from server import supervisor
supervisor.STOP_SECONDS = float(sys.argv[4])
asyncio.run(supervisor.supervise(
    settings_file=pathlib.Path("unused"), base_url=sys.argv[1], ready_file=pathlib.Path(sys.argv[2]),
    commands=json.loads(sys.argv[3]),
))
"""


@dataclass
class House:
    """A running supervisor."""

    process: subprocess.Popen[str]
    ready_file: Path
    note: Path

    def ready(self) -> dict[str, Any]:
        _until(self.ready_file.exists)
        return dict(json.loads(self.ready_file.read_text()))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return out


def _lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def _ends(out: str) -> list[dict[str, Any]]:
    return [line for line in _lines(out) if line["event"] == "ended"]


def _until(fact: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not fact():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


Start = Callable[..., House]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    houses: list[House] = []

    def begin(*, worker: str = WORKER, stop_seconds: float = 30) -> House:
        port, note, ready = _free_port(), tmp_path / "note", tmp_path / "ready.json"
        commands = {
            "server": [sys.executable, "-c", SERVER, str(port)],
            "worker": [sys.executable, "-c", worker, str(note)],
        }
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                RUN,
                f"http://127.0.0.1:{port}",
                str(ready),
                json.dumps(commands),
                f"{stop_seconds}",
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        houses.append(House(process, ready, note))
        return houses[-1]

    yield begin
    for house in houses:
        if house.process.poll() is None:
            house.process.kill()
        house.process.communicate(timeout=PATIENCE_SECONDS)


def test_it_says_when_the_house_is_ready_and_who_it_is(start: Start):
    house = start()
    ready = house.ready()
    assert ready["supervisor"] == house.process.pid
    assert all(_is_alive(ready[name]) for name in ("server", "worker"))
    assert ("ready", ready["base_url"]) in {(line["event"], line.get("base_url")) for line in _lines(house.stop())}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_both_and_lets_them_finish(start: Start, number: signal.Signals):
    house = start()
    ready = house.ready()
    _until(lambda: house.note.exists() and house.note.read_text() == "working")
    house.stop(number)
    assert house.process.returncode == 0
    assert house.note.read_text() == "finished"
    assert not any(_is_alive(ready[name]) for name in ("server", "worker"))
    assert not house.ready_file.exists()


@pytest.mark.parametrize("name", ["server", "worker"])
def test_a_killed_process_is_replaced_and_the_file_tells_by_which(start: Start, name: str):
    house = start()
    before = house.ready()
    os.kill(before[name], signal.SIGKILL)
    _until(lambda: house.ready()[name] != before[name])
    after = house.ready()
    other = "worker" if name == "server" else "server"
    assert after[other] == before[other]
    assert _is_alive(after[name])
    assert {(line["process"], line["status"]) for line in _ends(house.stop())} == {(name, -9)}


def test_a_process_that_keeps_failing_is_started_ever_more_slowly(start: Start):
    house = start(worker=FAILING)
    house.ready()
    _until(lambda: house.note.exists() and house.note.read_text().count("\n") >= 3)
    out = house.stop()
    first, second, third = map(float, house.note.read_text().split()[:3])
    assert second - first >= 0.4
    assert third - second >= 0.8
    ends = [(line["process"], line["status"], line["again_in_seconds"]) for line in _ends(out)]
    assert ends[:2] == [("worker", 3, 0.4), ("worker", 3, 0.8)]


def test_a_process_that_will_not_end_is_killed(start: Start):
    house = start(worker=STUBBORN, stop_seconds=1)
    worker = house.ready()["worker"]
    _until(house.note.exists)
    house.stop()
    assert house.process.returncode == 0
    assert not _is_alive(worker)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.15])
def test_it_may_be_stopped_while_it_starts(start: Start, seconds: float):
    house = start(worker=FAILING)
    _until(house.note.exists)
    time.sleep(seconds)
    house.stop()
    assert house.process.returncode == 0


def test_a_killed_supervisor_takes_its_children_along(start: Start):
    house = start()
    ready = house.ready()
    house.process.kill()
    house.process.wait()
    _until(lambda: not any(_is_alive(ready[name]) for name in ("server", "worker")))


def test_a_file_left_by_an_earlier_one_is_not_believed(start: Start, tmp_path: Path):
    left = tmp_path / "ready.json"
    left.write_text(json.dumps({"worker": 1}))
    house = start()
    _until(lambda: not left.exists() or json.loads(left.read_text())["worker"] != 1)
    assert house.ready()["supervisor"] == house.process.pid
