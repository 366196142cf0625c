"""The product's two sides, as one process or as two."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.run.installation import Installation, free_ports
from sandbox.run.partners import Partners

_OF_A_DISTRICT = frozenset({"officer", "clerk"})


@dataclass(frozen=True, slots=True)
class Houses:
    """Where residents call (`platform`) and where officers work (`registry`); one and the same when embedded."""

    platform: Installation
    registry: Installation

    @property
    def installations(self) -> tuple[Installation, ...]:
        return (self.platform,) if self.platform == self.registry else (self.platform, self.registry)

    @property
    def logs(self) -> list[Path]:
        return [each.folder / "logs" for each in self.installations]

    def create_staff(self, role: str, *, username: str, name: str, password: str) -> str:
        """Somebody of that role at the side where the role works; the otpauth:// address of their second factor.

        Officers and clerks work for 雨花台区 (320114), others for the whole city.
        """
        where = self.registry if role == "officer" else self.platform
        district = ["--district", "320114"] if role in _OF_A_DISTRICT else []
        wanted = ["--username", username, "--name", name, "--role", role, *district]
        said = where.command("staff", "create", *wanted, "--password-stdin", stdin=f"{password}\n")
        return str(json.loads(said.strip().splitlines()[-1])["totp_uri"])


def prepare_embedded(folder: Path, partners: Partners, *, ports: tuple[int, int, int] | None = None) -> Houses:
    """Settings, keys, database and the demonstration register of one process for both sides."""
    house = Installation(folder, "all", ports or free_ports())
    house.write_settings({**partners.sections(), "seal": {"directory": folder / "seal"}})
    house.command("prepare", "--seed", "demo")
    return Houses(house, house)


def prepare_split(folder: Path, partners: Partners) -> Houses:
    """The same for two processes, each with its own database, joined by a signed link over HTTP."""
    platform = Installation(folder / "platform", "platform", free_ports())
    registry = Installation(folder / "registry", "registry", free_ports())
    write_split(platform, registry, partners)
    registry.command("prepare", "--seed", "demo")
    platform.command("prepare", "--seed", "demo")
    return Houses(platform, registry)


def write_split(platform: Installation, registry: Installation, partners: Partners) -> None:
    """The settings of both sides; the platform knows of the seal only the key that credentials verify with."""
    platform.write_settings(
        {
            **partners.sections(),
            "link": _link(platform, registry),
            "seal": {"credential_keys": [registry.credential_key]},
        }
    )
    # Phones open the links on certificates, so those carry the platform's address.
    registry.write_settings(
        {"link": _link(registry, platform), "seal": {"directory": registry.folder / "seal"}},
        public_base_url=platform.url,
    )


@contextlib.contextmanager
def running(houses: Houses) -> Iterator[None]:
    """Both sides serve until the block is left."""
    with contextlib.ExitStack() as stack:
        started = []
        for each in houses.installations:
            process = each.start()
            stack.callback(process.stop)
            started.append((each, process))
        for each, process in started:
            each.wait_until_ready(process)
        yield


def _link(ours: Installation, theirs: Installation) -> dict[str, Any]:
    sides = {each.role: each.url for each in (ours, theirs)}
    return {
        "kind": "http",
        "platform_url": sides["platform"],
        "registry_url": sides["registry"],
        "key_file": ours.folder / "link" / "key.pem",
        "peer_key_file": theirs.folder / "link" / "key.pem.pub",
    }
