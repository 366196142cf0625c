import json
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench import cpu
from bench.statistics import middle

CONNECTIONS = 32
_SCRIPT = Path(__file__).with_name("requests.lua")
_POSTS = Path(__file__).with_name("posts.lua")
_LONGEST_SECONDS = 120  # a script that has sent everything stops by itself


@dataclass(frozen=True, slots=True)
class Run:
    """One run against one server: what the load saw, and what it cost the server's process."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: float

    @property
    def cpu_us(self) -> float:
        """Server CPU time per request, in microseconds."""
        return self.cpu_seconds / self.requests * 1e6


def write_requests(path: Path, requests: Iterable[tuple[str, str]]) -> None:
    """Write what the script draws from: paths, each with its bearer token, or with an empty text."""
    path.write_text("".join(f"{where}\t{token}\n" for where, token in requests), encoding="ascii")


def parse(output: str) -> tuple[int, float, float, float]:
    """Requests, seconds, p50 and p99 in milliseconds from wrk's output; RuntimeError if a request failed."""
    line = next((line for line in output.splitlines() if line.startswith("{")), None)
    if line is None:
        raise RuntimeError(f"wrk told no result:\n{output}")
    found = json.loads(line)
    if found["failed"] or not found["requests"]:
        raise RuntimeError(f"{found['failed']} of {found['requests']} requests failed: nothing is measured")
    return found["requests"], found["microseconds"] / 1e6, found["p50_us"] / 1e3, found["p99_us"] / 1e3


@dataclass(frozen=True, slots=True)
class Post:
    """One prepared request; no part may hold a tab or a line break."""

    path: str
    headers: dict[str, str]
    body: str


def write_posts(path: Path, posts: Iterable[Post]) -> None:
    """Write what `run_all` sends, each once."""
    lines = ("\t".join([each.path, *(f"{k}: {v}" for k, v in each.headers.items()), each.body]) for each in posts)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def run_all(posts: Path, *, url: str, pid: int) -> Run:
    """Send every prepared request once over 32 connections, as fast as they are answered."""
    return _run(_POSTS, _LONGEST_SECONDS, url=url, requests=posts, pid=pid)


def run(seconds: int, *, url: str, requests: Path, pid: int) -> Run:
    """Load `url` for so many seconds with 32 connections; `pid` is the server whose CPU time counts."""
    return _run(_SCRIPT, seconds, url=url, requests=requests, pid=pid)


def _run(script: Path, seconds: int, *, url: str, requests: Path, pid: int) -> Run:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("wrk is missing; `make bench` installs it, or: apt-get install wrk")
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url]
    before = cpu.seconds(pid)
    done = subprocess.run([*command, "--", str(requests)], check=True, capture_output=True, text=True)
    spent = cpu.seconds(pid) - before
    return Run(*parse(done.stdout), cpu_seconds=spent)


def told(runs: list[Run]) -> dict[str, float]:
    """Medians of the rounds, for the table."""

    def of(value: Callable[[Run], float]) -> float:
        return round(middle([value(each) for each in runs]), 1)

    return {
        "cpu_us": of(lambda each: each.cpu_us),
        "requests_per_second": of(lambda each: each.requests / each.seconds),
        "p50_ms": of(lambda each: each.p50_ms),
        "p99_ms": of(lambda each: each.p99_ms),
    }
