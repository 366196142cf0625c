"""The road between platform and registry, and the two rooms at its ends."""

from dataclasses import dataclass

import server.catalogue.ports
import server.registry.ports
import server.relay.ports
from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.files.store import FileStore
from kit.http.signing import RequestSigner, RequestVerifier
from kit.outbox import Outbox
from kit.settings import read_secret
from server.adapters.absent import absent
from server.adapters.registry_embedded import EmbeddedPlatform, EmbeddedRegistry
from server.adapters.registry_http import HttpPlatform, HttpRegistry, SignedPeer
from server.adapters.registry_wire import RegistryWire
from server.journeys.procedures import CatalogueProcedures
from server.settings import LinkSettings, Settings
from server.wiring.partners import Partners


@dataclass(frozen=True)
class Link:
    """What both ends need, and the key the other end signs with."""

    catalogue: server.catalogue.ports.Needs
    relay: server.relay.ports.Needs
    registry: server.registry.ports.Needs
    peer_verifier: RequestVerifier | None = None


def connect_link(
    settings: Settings, outside: Partners, *, clock: Clock, outbox: Outbox, cipher: Cipher, files: FileStore
) -> Link:
    """Both ends of the road: in one process, or each signed over HTTP to the other."""
    wire = RegistryWire()
    catalogue = server.catalogue.ports.Needs(clock=clock)
    http = settings.link.kind == "http"
    down: server.registry.ports.Platform = EmbeddedPlatform(outbox, cipher, clock)
    if http:
        down = _platform(settings.link, outside, clock)
    registry = server.registry.ports.Needs(
        clock=clock,
        outbox=outbox,
        cipher=cipher,
        files=files,
        platform=down,
        codec=wire,
        procedures=CatalogueProcedures(catalogue),
    )
    up: server.relay.ports.CentralRegistry = EmbeddedRegistry(registry, files)
    if http:
        up = _registry(settings.link, outside, clock, files)
    relay = server.relay.ports.Needs(clock=clock, outbox=outbox, cipher=cipher, registry=up, codec=wire)
    return Link(catalogue, relay, registry, _peer_verifier(settings))


def _platform(link: LinkSettings, outside: Partners, clock: Clock) -> server.registry.ports.Platform:
    if link.platform_url is None or link.key_file is None:
        nobody: server.registry.ports.Platform = absent("platform")
        return nobody
    return HttpPlatform(
        SignedPeer(
            outside.client("platform", timeout=30.0),
            base_url=link.platform_url,
            signer=RequestSigner("registry", read_secret(link.key_file).encode()),
            clock=clock,
        )
    )


def _registry(
    link: LinkSettings, outside: Partners, clock: Clock, files: FileStore
) -> server.relay.ports.CentralRegistry:
    if link.registry_url is None or link.key_file is None:
        nobody: server.relay.ports.CentralRegistry = absent("registry")
        return nobody
    peer = SignedPeer(
        outside.client("registry", timeout=30.0),
        base_url=link.registry_url,
        signer=RequestSigner("platform", read_secret(link.key_file).encode()),
        clock=clock,
    )
    return HttpRegistry(peer, files)


def _peer_verifier(settings: Settings) -> RequestVerifier | None:
    """The other side's public key; not there yet while a fresh installation is still being prepared."""
    path = settings.link.peer_key_file
    if settings.link.kind != "http" or path is None or not path.is_file():
        return None
    peer = "registry" if settings.role == "platform" else "platform"
    return RequestVerifier({peer: path.read_bytes()})
