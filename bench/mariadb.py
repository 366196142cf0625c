"""A private MariaDB for one run of tests or benches: a temporary folder, a free port, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pymysql

START_SECONDS = 120


@dataclass
class MariaDb:
    """A running server; `stop` ends it and removes its folder."""

    port: int
    version: str
    directory: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin")
    if found is None:
        raise RuntimeError(
            f"{name} is missing; `make test` and `make bench` install it, or: apt-get install mariadb-server"
        )
    return found


def _owner() -> str:
    return pwd.getpwuid(Path("/proc/self").stat().st_uid).pw_name


def start() -> MariaDb:
    directory = Path(tempfile.mkdtemp(prefix="yichuang-mariadb-"))
    scratch = directory / "scratch"
    scratch.mkdir()
    install = [
        _program("mariadb-install-db"),
        "--no-defaults",
        f"--user={_owner()}",
        f"--datadir={directory}/data",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
    ]
    # A server that starts clears its temporary folder: in a shared one, two that start at once destroy each other's.
    own = {**os.environ, "TMPDIR": str(scratch)}
    done = subprocess.run(install, check=False, capture_output=True, text=True, env=own)
    if done.returncode:
        raise RuntimeError(f"MariaDB could not be installed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    port = free_port()
    serve = [
        _program("mariadbd"),
        "--no-defaults",
        f"--user={_owner()}",
        f"--datadir={directory}/data",
        f"--tmpdir={scratch}",
        f"--socket={directory}/s.sock",
        f"--pid-file={directory}/pid",
        "--bind-address=127.0.0.1",
        f"--port={port}",
        "--skip-name-resolve",
        "--character-set-server=utf8mb4",
        "--max-connections=400",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=256M",
    ]
    log = (directory / "log").open("wb")
    process = subprocess.Popen(serve, stdout=log, stderr=log)
    log.close()
    return MariaDb(port, _wait(port, process), directory, process)


def _wait(port: int, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("MariaDB ended while starting")
        try:
            connection = pymysql.connect(host="127.0.0.1", port=port, user="root")
        except pymysql.err.OperationalError:
            time.sleep(0.05)
            continue
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            row = cursor.fetchone()
            assert row is not None
            return str(row[0])
    raise TimeoutError("MariaDB did not start")


def fresh_schema(port: int, name: str) -> str:
    """An empty schema; answers its address."""
    connection = pymysql.connect(host="127.0.0.1", port=port, user="root")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    return f"mysql://root:@127.0.0.1:{port}/{name}"
