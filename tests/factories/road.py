"""Both ends of the road with their rooms: a house that has what registering and relaying ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.files.store import FileStore, local_store
from kit.outbox import Handler, Outbox
from kit.outbox.drain import Drain
from server.adapters.registry_embedded import EmbeddedPlatform, EmbeddedRegistry
from server.adapters.registry_wire import RegistryWire
from server.catalogue import service as catalogue
from server.catalogue.ports import Needs as CatalogueNeeds
from server.certificates.credential import public_keys
from server.certificates.events import CopyKept, Issued, StatusChanged
from server.certificates.ports import Needs as CertificateNeeds
from server.journeys import recording, registering
from server.journeys.house import House
from server.journeys.procedures import CatalogueProcedures
from server.registry import events as registry_events
from server.registry.ports import Needs as RegistryNeeds
from server.relay import service as relay
from server.relay.events import RegistryMessageArrived
from server.relay.ports import Needs as RelayNeeds
from tests.factories.issuing import AUTHORITY, seal_files
from tests.factories.registry import key_ring
from tests.support.moments import NOON


async def _record(house: House, event: RegistryMessageArrived) -> None:
    message = await relay.open_down(house.relay, inbox_id=event.inbox_id)
    if message.kind in {"certificate", "status_change"}:
        await recording.record(house, message)


async def _nothing(house: Any, event: Any) -> None:
    """Listens, so that the event is written down."""


REGISTRY_SIDE = (
    Handler("registry.record", registry_events.PlatformMessageArrived, registering.record_message),
    Handler("registry.send", registry_events.MessageQueued, registering.send_message),
    Handler("registering.issue", registry_events.Entered, registering.issue),
    Handler("registering.issue_released", registry_events.CertificatesReleased, registering.issue),
    Handler("registering.send_certificate", Issued, registering.send_certificate),
    Handler("registering.send_status", StatusChanged, registering.send_status),
)
PLATFORM_SIDE = (
    Handler("relay.record", RegistryMessageArrived, _record),
    Handler("telling.certificate_ready", CopyKept, _nothing),
)


@dataclass
class Road:
    """`drain` works everything off; certificates of an application of the road's own are not told to applications."""

    house: House
    clock: FixedClock
    files: FileStore
    drain: Drain


async def road(directory: Path, *, handlers: Sequence[Handler] = REGISTRY_SIDE + PLATFORM_SIDE) -> Road:
    clock, ring = FixedClock(NOON), key_ring()
    cipher, files = Cipher(ring), FileStore(local_store(directory), ring)
    outbox = Outbox(handlers, clock=clock, wake=lambda: None)
    catalogue_needs = CatalogueNeeds(clock=clock)
    await catalogue.load_shipped(catalogue_needs)
    registry = RegistryNeeds(
        clock=clock,
        outbox=outbox,
        cipher=cipher,
        files=files,
        platform=EmbeddedPlatform(outbox, cipher, clock),
        codec=RegistryWire(),
        procedures=CatalogueProcedures(catalogue_needs),
    )
    relay_needs = RelayNeeds(
        clock=clock,
        outbox=outbox,
        cipher=cipher,
        registry=EmbeddedRegistry(registry, files),
        codec=RegistryWire(),
    )
    certificates = CertificateNeeds(
        clock=clock,
        outbox=outbox,
        cipher=cipher,
        files=files,
        seal=seal_files().open(),
        authority=AUTHORITY,
        credential_keys=public_keys([seal_files().credential_public.read_bytes()]),
        public_base_url="http://127.0.0.1:8000",
    )
    house = cast(
        "House",
        SimpleNamespace(
            clock=clock,
            outbox=outbox,
            cipher=cipher,
            files=files,
            catalogue=catalogue_needs,
            relay=relay_needs,
            registry=registry,
            certificates=certificates,
            applications=SimpleNamespace(),
        ),
    )
    return Road(house, clock, files, Drain(house, handlers, clock))
