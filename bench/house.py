"""The real server on the run's MariaDB, set up by the commands that an operator types."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.bare import POOL
from bench.stage import Server, Stage
from sandbox.run import toml

_SETTINGS = """
mode = "embedded"
role = "all"

[database]
url = "{database}"
pool_size = {pool}

[files]
directory = "{folder}/files"

[crypto]
keys_directory = "{folder}/keys"

[http]
port = {port}
metrics_port = 0
public_base_url = "http://127.0.0.1:{port}"

[log]
level = "{level}"

[limits]
factor = 1000000
"""


@dataclass(frozen=True, slots=True)
class House:
    """A prepared installation: its folder and the address of its database."""

    folder: Path
    database: str

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def settings(self, *, port: int, level: str, sections: Mapping[str, Any] | None = None) -> Path:
        """Write the settings of one process, `sections` for partners added; another level or port is another file."""
        path = self.folder / f"{level.lower()}-{port}.toml"
        text = _SETTINGS.format(database=self.database, folder=self.folder, port=port, level=level, pool=POOL)
        path.write_text(f"{text}\n{toml.dumps(sections or {})}", encoding="utf-8")
        return path

    def serve(
        self,
        stage: Stage,
        *,
        level: str = "INFO",
        under: tuple[str, ...] = (),
        sections: Mapping[str, Any] | None = None,
    ) -> Server:
        """The product's own server: one worker process, its log in a file; `under` a program that runs modules."""
        port = free_port()
        settings = self.settings(port=port, level=level, sections=sections)
        arguments = (*(under or ("-m",)), "server.cli", "--settings", str(settings), "serve")
        return stage.serve(f"ours-{level.lower()}", *arguments, url=f"http://127.0.0.1:{port}", ready="/healthz")

    def serve_module(self, stage: Stage, module: str) -> Server:
        """A contender of the bench's own that reads the same settings: `python -m <module> <settings>`."""
        port = free_port()
        settings = self.settings(port=port, level="INFO")
        return stage.serve(module, "-m", module, str(settings), url=f"http://127.0.0.1:{port}", ready="/")


def prepared(stage: Stage, name: str) -> House:
    """Keys, tables and the shipped catalogue in a schema of that name."""
    folder = stage.folder / name
    (folder / "files").mkdir(parents=True)
    house = House(folder, stage.schema(name))
    stage.command("-m", "server.cli", "--settings", str(house.settings(port=8000, level="INFO")), "prepare")
    return house


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
