"""Load of POST requests, each sent once and in order: whoever books once cannot book again."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench import cpu
from bench.load.wrk import CONNECTIONS

_SCRIPT = Path(__file__).with_name("bookings.lua")
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Rush:
    """One run: `made` were answered 201, `refused` 409; nothing else counts as an answer."""

    made: int
    refused: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: float

    @property
    def us_per_booking(self) -> float:
        """Time for each completed booking, refusals in between included."""
        return self.seconds / self.made * _MICROSECONDS

    @property
    def cpu_us(self) -> float:
        """Server CPU time for each request, completed or refused."""
        return self.cpu_seconds / (self.made + self.refused) * _MICROSECONDS


def write_requests(path: Path, requests: Iterable[tuple[str, str, str, str]]) -> None:
    """Path, bearer token, idempotency key and JSON body of each request."""
    path.write_text("".join("\t".join(each) + "\n" for each in requests), encoding="ascii")


def parse(output: str) -> tuple[int, int, float, float, float]:
    """Made, refused, seconds, p50 and p99 in milliseconds; RuntimeError when requests failed or ran out."""
    line = next((line for line in output.splitlines() if line.startswith("{")), None)
    if line is None:
        raise RuntimeError(f"wrk told no result:\n{output}")
    found = json.loads(line)
    if found["failed"] or not found["made"]:
        raise RuntimeError(f"{found['failed']} requests failed, {found['made']} succeeded: nothing is measured")
    if found["spent"]:
        raise RuntimeError("the file of requests was too short for this machine")
    return found["made"], found["refused"], found["microseconds"] / 1e6, found["p50_us"] / 1e3, found["p99_us"] / 1e3


def run(seconds: int, *, url: str, requests: Path, pid: int) -> Rush:
    """Send as many as 32 connections take in so many seconds; `pid` is the server whose CPU time is told."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("wrk is missing; `make bench` installs it, or: apt-get install wrk")
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_SCRIPT), url]
    before = cpu.seconds(pid)
    done = subprocess.run([*command, "--", str(requests)], check=True, capture_output=True, text=True)
    return Rush(*parse(done.stdout), cpu_seconds=cpu.seconds(pid) - before)
