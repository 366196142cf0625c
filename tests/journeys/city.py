"""A whole city for a test: sandbox, server and worker as processes of their own, each of which may be killed."""

import contextlib
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pymysql

from sandbox.demo import cast
from sandbox.demo.scene import Scene
from sandbox.people import Person
from sandbox.phones.caller import Caller
from sandbox.phones.handset import Handset
from sandbox.phones.journey import Journey
from sandbox.phones.outside import OutsideWorld
from sandbox.run import partners
from sandbox.run.houses import Houses
from sandbox.run.installation import Installation, free_ports
from sandbox.run.partners import Partners
from tests.journeys.patience import (
    PatientAlipayPhone,
    PatientCaller,
    PatientClerk,
    PatientDesk,
    PatientOfficer,
    PatientPhone,
    Watch,
)
from tests.support.nursery import Nursery

# 15 seconds until WeChat Pay repeats a notification become 0.15.
TIME_SCALE = 0.01
STAFF_PASSWORD = "Yi-Chuang-2026-demo"
_DISTRICT = ("--district", "320114")
# Nothing is measured by it: it only ends a test that hangs, on a slow machine too.
_PATIENCE_SECONDS = 120.0
Build = Callable[..., AbstractContextManager["City"]]
"""`build("sqlite")` or `build("mariadb")`: a running city with a database of its own; more is for the worker."""


@dataclass
class City:
    """`prepare` once, then `start`; `close` ends whatever runs."""

    folder: Path
    database_url: str
    nursery: Nursery
    partners: Partners
    house: Installation
    worker_settings: dict[str, Any] = field(default_factory=dict)
    officer_totp: str = ""
    clerk_totp: str = ""
    pids: dict[str, int] = field(default_factory=dict)
    offset_seconds: float = 0.0
    _moving: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return self.house.url

    def log(self, program: str) -> Path:
        return self.house.folder / "logs" / f"{program}.log"

    def prepare(self) -> None:
        """Settings, keys, database, the demonstration register, an officer and a clerk."""
        self.house.write_settings(
            {
                **self.partners.sections(),
                "test_mode": True,
                "database": {"url": self.database_url},
                "seal": {"directory": self.house.folder / "seal"},
                "http": {"port": self.house.ports[0], "metrics_port": 0, "public_base_url": self.url},
                "worker": {
                    "poll_ms": 20,
                    "lease_seconds": 1,
                    "tidy_seconds": 1,
                    "metrics_port": 0,
                    **self.worker_settings,
                },
                "clock": {"offset_file": self.house.folder / "clock"},
                "limits": {"factor": 1000},
            }
        )
        self.command("prepare")
        self.command("seed", "demo")
        self.officer_totp = self.employ(cast.OFFICER_USERNAME, cast.OFFICER_NAME, "officer", *_DISTRICT)
        self.clerk_totp = self.employ(cast.CLERK_USERNAME, cast.CLERK_NAME, "clerk", *_DISTRICT)

    def employ(self, username: str, name: str, role: str, *scope: str) -> str:
        """Create a member of staff; the otpauth:// address of their second factor."""
        wanted = ["--username", username, "--name", name, "--role", role, *scope]
        said = self.command("staff", "create", *wanted, "--password-stdin", stdin=f"{STAFF_PASSWORD}\n")
        return said.rsplit('"totp_uri": "', 1)[1].split('"', 1)[0]

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run `yichuang` to its end; what it wrote."""
        log = self.log("-".join(Path(each).name for each in arguments[:2]))
        pid = self.nursery.start("--settings", str(self.house.settings_file), *arguments, log=log, stdin=stdin)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (status := self.nursery.status(pid)) is None:
            assert time.monotonic() < deadline, f"{arguments} takes too long"
            time.sleep(0.01)
        said = log.read_text(encoding="utf-8")
        assert status == 0, f"yichuang {' '.join(arguments)} ended with {status}:\n{said}"
        return said

    def start_server(self) -> float:
        """Start it and wait until it answers; the seconds of a processor that took, however busy the machine is."""
        begun = time.monotonic()
        self._start("server", "serve")
        while not self.healthy():
            assert self.running("server"), f"the server ended:\n{self.last_words('server')}"
            assert time.monotonic() - begun < _PATIENCE_SECONDS, f"no answer:\n{self.last_words('server')}"
            time.sleep(0.01)
        return _processor_seconds(self.pids["server"])

    def start_worker(self, **environment: str) -> None:
        self._start("worker", "work", **environment)

    def _start(self, program: str, command: str, **environment: str) -> None:
        settings = str(self.house.settings_file)
        self.pids[program] = self.nursery.start("--settings", settings, command, log=self.log(program), **environment)

    def running(self, program: str) -> bool:
        return self.nursery.status(self.pids[program]) is None

    def kill(self, program: str) -> None:
        """SIGKILL, and wait until it is gone."""
        self._end(program, signal.SIGKILL)

    def stop(self, program: str) -> None:
        """SIGTERM, as an operator would."""
        self._end(program, signal.SIGTERM)

    def _end(self, program: str, number: signal.Signals) -> None:
        pid = self.pids.get(program)
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.nursery.status(pid) is None:
            assert time.monotonic() < deadline, f"the {program} does not end:\n{self.last_words(program)}"
            time.sleep(0.002)

    def healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False, timeout=20).status_code == 200
        except httpx.HTTPError:
            return False

    def await_healthy(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self.healthy():
            assert time.monotonic() < deadline, f"the server does not come back:\n{self.last_words('server')}"
            time.sleep(0.02)

    def last_words(self, program: str) -> str:
        log = self.log(program)
        return log.read_text(encoding="utf-8", errors="replace")[-4000:] if log.exists() else ""

    def move_clock(self, seconds: float) -> None:
        """Our processes' time and the partners', together."""
        with self._moving:
            self.offset_seconds += seconds
            fresh = self.house.folder / "clock.new"
            fresh.write_text(str(self.offset_seconds))
            fresh.replace(self.house.folder / "clock")
            with httpx.Client(base_url=f"{self.partners.url}/_control", trust_env=False) as desk:
                desk.post("/clock", json={"advance_seconds": seconds}).raise_for_status()

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """What lies in the database now; `?` stands for values."""
        if self.database_url.startswith("sqlite"):
            with contextlib.closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"), timeout=10)) as file:
                file.row_factory = sqlite3.Row
                return [dict(row) for row in file.execute(statement, values)]
        parts = urlsplit(self.database_url)
        connection = pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user="root",
            database=parts.path.lstrip("/"),
            autocommit=True,
            charset="utf8mb4",
            cursorclass=pymysql.cursors.DictCursor,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement.replace("?", "%s"), values)
            return list(cursor.fetchall())

    def count(self, table: str, where: str = "1 = 1", *values: Any) -> int:
        return int(self.rows(f"SELECT COUNT(*) AS n FROM {table} WHERE {where}", *values)[0]["n"])  # noqa: S608 - ours

    def outside(self) -> OutsideWorld:
        return OutsideWorld(self.partners.url, self.partners.directory)

    def patient(self, journey: Journey, who: str) -> PatientCaller:
        return PatientCaller(
            self.url,
            journey,
            who,
            await_server=self.await_healthy,
            pass_time=self.move_clock,
        )

    def phone(
        self, person: Person, journey: Journey, outside: OutsideWorld, *, wallet: str = "wechat"
    ) -> PatientPhone | PatientAlipayPhone:
        kind = {"wechat": PatientPhone, "alipay": PatientAlipayPhone}[wallet]
        return kind(person, self.patient(journey, f"{person.key} {person.name}"), outside)

    @contextlib.contextmanager
    def scene(self, people: tuple[Person, ...] = cast.PARTIES, *, wallet: str = "wechat") -> Iterator[Scene]:
        """The demo's people with their devices in this city; `wallet` is the buyer's, the others have WeChat."""
        journey, outside = patient_journey(), self.outside()
        results = self.folder / "results"
        results.mkdir(exist_ok=True)
        wallets = {cast.BUYER.key: wallet}
        phones: dict[str, Handset] = {
            each.key: self.phone(each, journey, outside, wallet=wallets.get(each.key, "wechat")) for each in people
        }
        scene = Scene(
            journey=journey,
            houses=Houses(self.house, self.house),
            outside=outside,
            phones=phones,
            officer=PatientOfficer(
                cast.OFFICER_USERNAME, STAFF_PASSWORD, self.officer_totp, self.patient(journey, "officer"), self.watch
            ),
            clerk=PatientClerk(
                cast.CLERK_USERNAME, STAFF_PASSWORD, self.clerk_totp, self.patient(journey, "clerk"), self.watch
            ),
            passer_by=self.patient(journey, "passer-by"),
            results=results,
        )
        try:
            yield scene
        finally:
            scene.close()

    def finance(self, journey: Journey) -> PatientDesk:
        """Somebody in finance, who sees the money of the whole city."""
        totp = self.employ("demo.finance", "演示财务人员", "finance")
        return PatientDesk("demo.finance", STAFF_PASSWORD, totp, self.patient(journey, "finance"), self.watch)

    @property
    def watch(self) -> Watch:
        """What shows the city's time."""
        return Watch(offset=lambda: self.offset_seconds, pass_time=self.move_clock)

    def stranger(self, journey: Journey) -> Caller:
        return Caller(self.url, journey, "stranger")

    def close(self) -> None:
        for program in self.pids:
            self.kill(program)


def patient_journey() -> Journey:
    return Journey(patience_seconds=_PATIENCE_SECONDS)


def _processor_seconds(pid: int) -> float:
    """What a process has used so far, in its own code and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Town:
    """A city and the people in it."""

    city: City
    scene: Scene


@contextlib.contextmanager
def built(folder: Path, database_url: str, nursery: Nursery, **worker_settings: Any) -> Iterator[City]:
    """A prepared city with server and worker running; everything ends with the block."""
    world = partners.start(folder / "sandbox", time_scale=TIME_SCALE, fresh_books=True)
    with contextlib.ExitStack() as stack:
        stack.callback(world.process.stop)
        house = Installation(folder / "house", "all", free_ports())
        city = City(folder, database_url, nursery, world, house, worker_settings)
        stack.callback(city.close)
        city.prepare()
        city.start_server()
        city.start_worker()
        yield city
