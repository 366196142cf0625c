from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sanic import Request

import notifications.ports
import payments.ports
import server.applications.ports
import server.appointments.ports
import server.catalogue.ports
import server.certificates.ports
import server.delivery.ports
import server.identity.ports
import server.sharing.ports
import server.staff.ports
from kit.allowance.service import forget_old as forget_old_allowances
from kit.clock import Clock, OffsetClock, SystemClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import load_key_ring
from kit.db.connection import credentials
from kit.files.store import FileStore, store_of
from kit.http.signing import RequestVerifier
from kit.idempotency.service import forget_old
from kit.outbox import Handler, Outbox
from kit.outbox.wake import Waker
from kit.sessions import Lifetime
from kit.web.access import Authenticator, Principal
from kit.web.edge import Edge
from kit.web.limits import RateLimits
from notifications import templates
from notifications.shelf import Shelf
from server.adapters.seal_absent import AbsentSeal
from server.applications import service as applications
from server.appointments import service as appointments
from server.certificates.credential import public_keys
from server.certificates.ports import Authority, Seal
from server.identity import queries as residents
from server.identity import service as identity
from server.journeys.addresses import ResidentAddresses
from server.journeys.handlers import handlers_of
from server.journeys.house import House
from server.journeys.opening_days import CatalogueWorkingDays
from server.registry import service as registry
from server.settings import Settings
from server.staff import queries as staff
from server.staff import service as staff_service
from server.wiring.audit import sealer
from server.wiring.connect import connect
from server.wiring.link import Link, connect_link
from server.wiring.partners import Partners
from server.wiring.start import keys_and_secrets


@dataclass(frozen=True)
class Built:
    """The house and what its processes need beside it."""

    house: House
    edge: Edge
    partners: Partners
    handlers: Sequence[Handler]
    tax_verifier: RequestVerifier | None
    peer_verifier: RequestVerifier | None
    seal_audit: Callable[[], Awaitable[int]]
    tidy: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


def connection(settings: Settings) -> dict[str, Any]:
    """The database entry for Tortoise."""
    section = settings.database
    return credentials(section.url, password=section.password(), pool_size=section.pool_size)


def build(settings: Settings, *, partners: bool = True, seal: bool = True) -> Built:
    """Fill the house; `partners=False` leaves the outside systems out, for commands that call none.

    `seal=False` leaves the registry's seal out too: only what issues certificates opens its keys. CannotStart when a
    key or a secret is missing or does not fit.
    """
    with keys_and_secrets():
        return _build(settings, partners=partners, seal=seal)


def _build(settings: Settings, *, partners: bool, seal: bool) -> Built:
    clock = _clock(settings)
    ring = load_key_ring(settings.crypto.keys_directory)
    cipher = Cipher(ring)
    files = FileStore(store_of(settings.files), ring)
    handlers = handlers_of(settings.role)
    waker = Waker(settings.worker.wake_path)
    outbox = Outbox(handlers, clock=clock, wake=waker)
    outside = connect(settings, clock) if partners else Partners()
    link = connect_link(settings, outside, clock=clock, outbox=outbox, cipher=cipher, files=files)
    held = _seal(settings) if seal else AbsentSeal()
    house = _house(settings, outside, link, held, clock=clock, outbox=outbox, cipher=cipher, files=files)

    async def close() -> None:
        await house.identity.live.settle()
        await house.staff.live.settle()
        for client in outside.clients:
            await client.aclose()
        waker.close()

    return Built(
        house=house,
        edge=_edge(settings, house),
        partners=outside,
        handlers=handlers,
        tax_verifier=outside.tax_verifier,
        peer_verifier=link.peer_verifier,
        seal_audit=sealer(settings, clock),
        tidy=_tidier(house),
        close=close,
    )


def _clock(settings: Settings) -> Clock:
    return OffsetClock(settings.clock.offset_file) if settings.clock.offset_file else SystemClock()


def _house(
    settings: Settings,
    outside: Partners,
    link: Link,
    held: Seal,
    *,
    clock: Clock,
    outbox: Outbox,
    cipher: Cipher,
    files: FileStore,
) -> House:
    sessions = settings.sessions
    identity_needs = server.identity.ports.Needs(
        clock=clock,
        cipher=cipher,
        outbox=outbox,
        wallets=outside.doors,
        lifetime=_lifetime(sessions.resident_idle_minutes, sessions.resident_hours),
    )
    return House(
        role=settings.role,
        public_base_url=settings.http.public_base_url,
        clock=clock,
        outbox=outbox,
        cipher=cipher,
        files=files,
        identity=identity_needs,
        staff=server.staff.ports.Needs(
            clock=clock, cipher=cipher, lifetime=_lifetime(sessions.staff_idle_minutes, sessions.staff_hours)
        ),
        catalogue=link.catalogue,
        appointments=server.appointments.ports.Needs(clock, outbox, cipher, CatalogueWorkingDays(link.catalogue)),
        applications=server.applications.ports.Needs(clock, outbox, cipher, files, outside.taxes),
        sharing=server.sharing.ports.Needs(
            clock=clock,
            cipher=cipher,
            identity=outside.departments,
            lookup=outside.departments,
            seconds=outside.department_seconds,
        ),
        relay=link.relay,
        registry=link.registry,
        certificates=_certificates(settings, held, clock, outbox, cipher, files),
        delivery=server.delivery.ports.Needs(clock, outbox, cipher, outside.carriers, outside.pushes),
        payments=payments.ports.Needs(
            clock,
            outbox,
            cipher,
            outside.ordering,
            outside.notices,
            refunds=outside.refunds,
            bills=outside.bills,
            confirmed_from_fen=settings.payments.confirm_refunds_from_fen,
        ),
        notifications=_notifications(outside, ResidentAddresses(identity_needs), clock, outbox, cipher),
    )


def _lifetime(idle_minutes: int, hours: int) -> Lifetime:
    return Lifetime(idle=timedelta(minutes=idle_minutes), absolute=timedelta(hours=hours))


def _notifications(
    outside: Partners, addresses: ResidentAddresses, clock: Clock, outbox: Outbox, cipher: Cipher
) -> notifications.ports.Needs:
    return notifications.ports.Needs(
        clock=clock,
        outbox=outbox,
        cipher=cipher,
        templates=Shelf(templates.load()),
        channels=outside.channels,
        addresses=addresses,
        receipts=outside.receipts,
        limits=outside.limits,
    )


def _certificates(
    settings: Settings, seal: Seal, clock: Clock, outbox: Outbox, cipher: Cipher, files: FileStore
) -> server.certificates.ports.Needs:
    section = settings.registry
    return server.certificates.ports.Needs(
        clock=clock,
        outbox=outbox,
        cipher=cipher,
        files=files,
        seal=seal,
        authority=Authority(name=section.name, code=section.code, province=section.province, place=section.city),
        credential_keys=public_keys([path.read_bytes() for path in _credential_key_files(settings)]),
        public_base_url=settings.http.public_base_url
        if settings.link.platform_url is None
        else settings.link.platform_url,
        fonts=settings.seal.fonts,
    )


def _seal(settings: Settings) -> Seal:
    """The platform never holds the seal, even where a folder is named by mistake."""
    directory = settings.seal.directory
    if settings.role == "platform" or directory is None or not directory.is_dir():
        return AbsentSeal()
    from server.adapters.seal_keys import open_seal  # half a second of libraries

    return open_seal(directory, demo=settings.mode != "city", timestamp_url=settings.seal.timestamp_url)


def _credential_key_files(settings: Settings) -> list[Path]:
    own = settings.seal.directory / "credential_public.pem" if settings.seal.directory else None
    return [*settings.seal.credential_keys, *([own] if own is not None and own.is_file() else [])]


def _edge(settings: Settings, house: House) -> Edge:
    return Edge(
        authenticators={
            "resident": _bearer(lambda token: residents.authenticate(house.identity, token=token)),
            "staff": _bearer(lambda token: staff.authenticate(house.staff, token=token)),
        },
        limits=RateLimits(factor=settings.limits.factor),
        cipher=house.cipher,
        clock=house.clock,
    )


def _bearer(authenticate: Callable[[str], Awaitable[Principal | None]]) -> Authenticator:
    async def of_request(request: Request) -> Principal | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return await authenticate(token) if scheme.lower() == "bearer" and token else None

    return of_request


def _tidier(house: House) -> Callable[[], Awaitable[None]]:
    """What time ends: old idempotency keys, uploads a crash left half-written, drafts nobody went on with."""

    async def tidy() -> None:
        await forget_old(now=house.clock.now())
        await forget_old_allowances(now=house.clock.now())
        await house.files.sweep_temporaries(timedelta(hours=24))
        await applications.expire_due(house.applications)
        await appointments.expire_due(house.appointments)
        await appointments.mark_missed(house.appointments)
        await appointments.release_slots(house.appointments)
        await identity.forget_old_sessions(house.identity)
        await staff_service.forget_old_sessions(house.staff)
        await registry.forget_nonces(house.registry)

    return tidy
