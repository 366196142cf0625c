"""`yichuang up` with the real server and worker, as an operator meets it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.run.installation import Installation, free_ports, is_free
from sandbox.run.processes import ROOT, environment

SECONDS = 100
BODY = json.dumps({"text": "not a certificate"}).encode()


@dataclass
class House:
    """An embedded house in a folder, and its supervisor once it is up."""

    installation: Installation
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def ready_file(self) -> Path:
        return self.installation.folder / "data" / "ready"

    @property
    def ports(self) -> tuple[int, int, int]:
        return self.installation.ports

    def up(self) -> subprocess.Popen[str]:
        settings = str(self.installation.settings_file)
        command = [sys.executable, "-m", "server.cli", "--settings", settings, "up", "--ready-file"]
        self.processes.append(
            subprocess.Popen(
                [*command, str(self.ready_file)],
                cwd=ROOT,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return self.processes[-1]

    def ready(self) -> dict[str, Any]:
        _until(self.ready_file.exists)
        return dict(json.loads(self.ready_file.read_text()))

    def get(self, path: str, port: int = 0) -> tuple[int, str]:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.ports[port]}{path}", trust_env=False, timeout=10)
        except httpx.HTTPError:
            return 0, ""
        return answer.status_code, answer.text

    def is_ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def metrics(self, port: int) -> str:
        return self.get("/metrics", port=port)[1]

    def said(self) -> str:
        out, _ = self.processes[-1].communicate(timeout=SECONDS)
        return out


def _until(fact: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not fact():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and tables, made once; each test takes a copy."""
    house = Installation(tmp_path_factory.mktemp("prepared") / "house", "all", free_ports())
    house.write_settings({})
    house.command("prepare")
    return house.folder


@pytest.fixture
def house(prepared: Path, tmp_path: Path) -> Iterator[House]:
    folder = tmp_path / "house"
    shutil.copytree(prepared, folder)
    installation = Installation(folder, "all", free_ports())
    installation.write_settings({})
    found = House(installation)
    yield found
    for process in found.processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=SECONDS)


@pytest.mark.parametrize("name", ["server", "worker"])
def test_what_is_killed_comes_back(house: House, name: str):
    house.up()
    before = house.ready()
    os.kill(before[name], signal.SIGKILL)
    _until(lambda: house.ready()[name] != before[name])
    _until(house.is_ready)
    assert house.processes[0].poll() is None
    _until(lambda: "worker_heartbeat_age_seconds" in house.metrics(1))
    _until(lambda: 'outbox_rows{state="parked"} 0.0' in house.metrics(2))


def test_a_request_in_hand_is_answered_before_the_end_and_nothing_stays_behind(house: House):
    process = house.up()
    pids = house.ready()
    with socket.create_connection(("127.0.0.1", house.ports[0]), timeout=SECONDS) as phone:
        head = "POST /api/v1/certificates/verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        phone.sendall(head.encode())
        assert phone.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n", "it is in hand"
        phone.sendall(BODY[:5])
        process.send_signal(signal.SIGTERM)
        _until(lambda: house.get("/healthz") == (0, ""))
        phone.sendall(BODY[5:])
        assert phone.recv(4096).startswith(b"HTTP/1.1 200"), "the request was lost"
    lines = [json.loads(line) for line in house.said().splitlines()]
    assert {"ready", "worker_stopped"} <= {line["event"] for line in lines}
    assert {line["level"] for line in lines} == {"info"}
    assert process.returncode == 0
    assert not any(_is_alive(pids[name]) for name in ("supervisor", "server", "worker"))
    _until(lambda: all(map(is_free, house.ports)))
    assert not house.ready_file.exists()


def test_a_killed_supervisor_takes_both_along(house: House):
    house.up()
    pids = house.ready()
    house.processes[0].kill()
    _until(lambda: not any(_is_alive(pids[name]) for name in ("server", "worker")))
    _until(lambda: all(map(is_free, house.ports)))
    again = house.up()
    _until(lambda: house.ready_file.exists() and house.ready()["supervisor"] == again.pid)
    assert house.is_ready()


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_a_port_that_is_taken_is_named_and_nothing_is_started(house: House, taken: int):
    with socket.create_server(("127.0.0.1", house.ports[taken])):
        process = house.up()
        said = house.said()
    assert process.returncode == 2
    (line,) = map(json.loads, said.splitlines())
    assert (line["level"], line["logger"], line["event"]) == ("error", "supervisor", "port_taken")
    assert line["ports"] == [f"127.0.0.1 port {house.ports[taken]}"]


def test_what_cannot_start_is_not_started_again(house: House):
    shutil.rmtree(house.installation.folder / "keys")
    process = house.up()
    said = house.said()
    assert process.returncode == 2
    assert "keys/current is missing; `yichuang prepare` makes the keys" in said
    assert '"event":"cannot_start"' in said
    assert '"event":"ended"' not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["serve", "work"])
def test_alone_each_says_which_port_is_taken(house: House, command: str):
    port = house.ports[0] if command == "serve" else house.ports[2]
    with socket.create_server(("127.0.0.1", port)):
        done = subprocess.run(
            [sys.executable, "-m", "server.cli", "--settings", str(house.installation.settings_file), command],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        2,
        f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use\n",
    )
