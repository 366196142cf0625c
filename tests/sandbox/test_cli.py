"""The process as people start it: ready file, restart, orderly stop."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from sandbox import cli
from tests.sandbox.city import City


def start(directory: Path) -> tuple[subprocess.Popen[str], str]:
    ready = directory / "ready"
    ready.unlink(missing_ok=True)  # of the one that was killed
    command = [sys.executable, "-m", "sandbox", "serve", str(directory), "--ready-file", str(ready)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process, f"http://127.0.0.1:{ready.read_text()}"


def stop(process: subprocess.Popen[str], number: int) -> str:
    os.kill(process.pid, number)
    output, _ = process.communicate(timeout=60)
    return output


def test_init_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    cli.main(["init", str(tmp_path / "new")])
    cli.main(["init", str(tmp_path / "new")])
    made, kept = capsys.readouterr().out.splitlines()
    assert " made in " in made
    assert " already there in " in kept


def test_serving_before_init_says_what_to_do(tmp_path: Path):
    with pytest.raises(SystemExit, match="sandbox init"):
        cli.main(["serve", str(tmp_path)])


@pytest.mark.parametrize("port", ["65536", "-1", "web"])
def test_what_is_no_port_is_refused_in_words(port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        cli.main(["serve", str(tmp_path), f"--port={port}"])
    assert f"{port} is no port" in capsys.readouterr().err


async def test_a_restart_keeps_what_was_paid(directory: Path):
    process, url = start(directory)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        city = City(http, directory / "credentials")
        order = await city.order("20261121a")
        await city.order("20261121b")
        await city.control("POST", "/wx/pay", **city.payment(order))
        await city.control("PATCH", "/people/P3", homes=2)
        before = (await city.control("GET", "/pay/orders"))["items"]
    assert [each["trade_state"] for each in before] == ["SUCCESS", "NOTPAY"]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)

    process, url = start(directory)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        city = City(http, directory / "credentials")
        assert (await city.control("GET", "/pay/orders"))["items"] == before
        assert (await city.control("GET", "/people"))["items"][2]["homes"] == 2
        # Nobody acknowledged the payment, so it is told again.
        assert (await city.control("GET", "/deliveries"))["items"][0]["subject"] == "20261121a"
        output = stop(process, signal.SIGTERM)
    assert output.count("\n") == 1
    assert process.returncode == 0
