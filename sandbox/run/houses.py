"""The product's two sides, as one process or as two."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.run.installation import Installation, free_ports
from sandbox.run.partners import Partners
from sandbox.run.seal import key_id


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

    def create_officer(self, *, username: str, name: str, password: str) -> str:
        """An officer for 雨花台区 (320114); the otpauth:// address of their second factor."""
        wanted = ["--username", username, "--name", name, "--role", "officer", "--district", "320114"]
        said = self.registry.command("staff", "create", *wanted, "--password-stdin", stdin=f"{password}\n")
        return str(json.loads(said.strip().splitlines()[-1])["totp_uri"])


def prepare_embedded(folder: Path, partners: Partners, *, ports: tuple[int, int] | None = None) -> Houses:
    """Settings, keys, database and the demonstration register of one process for both sides."""
    port, metrics = ports or tuple(free_ports(2))
    house = Installation(folder, "all", port, metrics)
    house.write_settings({**partners.sections(), "seal": {"directory": folder / "seal"}})
    house.command("prepare")
    house.command("seed", "demo")
    return Houses(house, house)


def prepare_split(folder: Path, partners: Partners) -> Houses:
    """The same for two processes, each with its own database, joined by a signed link over HTTP."""
    platform, registry = two_sides(folder, free_ports(4))
    write_registry(registry, platform)
    registry.command("prepare")
    # The platform never sees the seal: only the public key by which it knows the registry's credentials.
    keys = {key_id(registry.credential_key): registry.credential_key}
    write_platform(platform, registry, partners, credential_keys=keys)
    platform.command("prepare")
    registry.command("seed", "demo")
    return Houses(platform, registry)


def two_sides(folder: Path, ports: Sequence[int]) -> tuple[Installation, Installation]:
    """Platform and registry, each in a folder of its own; four ports."""
    platform = Installation(folder / "platform", "platform", ports[0], ports[1])
    return platform, Installation(folder / "registry", "registry", ports[2], ports[3])


def write_registry(registry: Installation, platform: Installation) -> None:
    # Phones open the links on certificates, so those carry the platform's address.
    registry.write_settings(
        {"link": _link(registry, platform), "seal": {"directory": registry.folder / "seal"}},
        public_base_url=platform.url,
    )


def write_platform(
    platform: Installation, registry: Installation, partners: Partners, *, credential_keys: Mapping[str, Path]
) -> None:
    seal = {"credential_keys": credential_keys}
    platform.write_settings({**partners.sections(), "link": _link(platform, registry), "seal": seal})


@contextlib.contextmanager
def running(houses: Houses) -> Iterator[None]:
    """Both sides serve until the block is left."""
    with contextlib.ExitStack() as stack:
        for each in houses.installations:
            stack.callback(each.start().stop)
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
