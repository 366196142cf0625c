"""One installation of the product: a folder, a settings file, the commands people type, and its server."""

import contextlib
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.run import toml
from sandbox.run.processes import ROOT, Process, ProcessFailed, environment, python

_COMMAND_SECONDS = 120.0
_START_SECONDS = 60.0
_LONGEST_SOCKET_PATH = 100  # the kernel allows 107 bytes


@dataclass(frozen=True, slots=True)
class Installation:
    """`role` is platform, registry or all; `ports`: the server's, its metrics', the worker's metrics'."""

    folder: Path
    role: str
    ports: tuple[int, int, int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def settings_file(self) -> Path:
        return self.folder / "yichuang.toml"

    @property
    def credential_key(self) -> Path:
        """The public key that QR credentials are verified with, where this side holds the seal."""
        return self.folder / "seal" / "credential_public.pem"

    @property
    def root_certificate(self) -> Path:
        return self.folder / "seal" / "root.pem"

    def write_settings(self, sections: Mapping[str, Any], *, public_base_url: str | None = None) -> None:
        """Lay out the folder and its settings; `sections` are added to what every installation has."""
        for name in ("data", "files", "logs"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        wake = self.folder / "data" / "wake"
        settings: dict[str, Any] = {
            "mode": "embedded",
            "role": self.role,
            "database": {"url": f"sqlite:///{self.folder / 'data' / 'yichuang.db'}"},
            "files": {"directory": self.folder / "files"},
            "crypto": {"keys_directory": self.folder / "keys"},
            "http": {
                "port": self.ports[0],
                "metrics_port": self.ports[1],
                "public_base_url": public_base_url or self.url,
            },
            "worker": {
                "wake_path": wake if len(str(wake)) <= _LONGEST_SOCKET_PATH else None,
                "metrics_port": self.ports[2],
            },
            **sections,
        }
        self.settings_file.write_text(toml.dumps(settings), encoding="utf-8")

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run `yichuang` with these settings; its output, or ProcessFailed with what it said."""
        try:
            done = subprocess.run(
                self._yichuang(*arguments),
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                timeout=_COMMAND_SECONDS,
                check=False,
                cwd=ROOT,
                env=environment(),
                start_new_session=True,
            )
        except subprocess.TimeoutExpired as error:
            raise ProcessFailed(f"yichuang {arguments[0]} took longer than {_COMMAND_SECONDS:g} s") from error
        with (self.folder / "logs" / "commands.log").open("a", encoding="utf-8") as log:
            log.write(f"$ yichuang {' '.join(arguments)}\n{done.stderr}")
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-2000:]
            raise ProcessFailed(f"yichuang {' '.join(arguments)} ended with status {done.returncode}: {said}")
        return done.stdout

    def start(self) -> Process:
        """Start the supervisor with server and worker; `wait_until_ready` tells when they can do their work."""
        self._ready.unlink(missing_ok=True)
        log = self.folder / "logs" / "yichuang.log"
        return Process(f"yichuang ({self.role})", self._yichuang("up", "--ready-file", str(self._ready)), log)

    def wait_until_ready(self, process: Process) -> None:
        """Until /readyz answers 200; ProcessFailed when it does not."""
        process.wait_for(self._ready, seconds=_START_SECONDS)

    @property
    def _ready(self) -> Path:
        return self.folder / "data" / "ready"

    def _yichuang(self, *arguments: str) -> list[str]:
        return python("-m", "server.cli", "--settings", str(self.settings_file), *arguments)


def free_ports() -> tuple[int, int, int]:
    """Three different ports that nobody listens on now."""
    with contextlib.ExitStack() as taken:
        one, two, three = (taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3))
        return one.getsockname()[1], two.getsockname()[1], three.getsockname()[1]


def is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
