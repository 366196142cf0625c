"""What is done once, by command: keys, tables, shipped data, accounts, generated pages."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from yaml import YAMLError

from kit.audit.verify import Finding
from kit.crypto.keys import create_key_ring
from kit.db.connection import database
from kit.db.migrate import migrate
from kit.settings_docs import settings_markdown
from kit.web.docs_errors import errors_markdown, problems_of
from notifications import service as notifications
from server import wiring
from server.appointments import service as appointments
from server.appointments.content import read as read_offices
from server.catalogue import service as catalogue
from server.database import APPS
from server.journeys.seeding import seed_demo as seed_register
from server.journeys.seeding import seed_offices
from server.settings import Settings
from server.staff import queries as staff_queries
from server.staff import service as staff
from server.wiring import CannotStart, audit


async def prepare(settings: Settings, *, demo: bool = False) -> list[str]:
    """Make what is missing and answer what was done; safe to repeat. `demo` seeds the demonstration register too."""
    if demo:
        _check_no_city(settings)
    done = [f"keys: {settings.crypto.keys_directory}"]
    create_key_ring(settings.crypto.keys_directory)
    create_ed25519(audit.key_file(settings))
    if settings.link.key_file is not None:
        create_ed25519(settings.link.key_file)
        done.append(f"link key: {settings.link.key_file}.pub is for the other side")
    if settings.mode == "embedded" and settings.role != "platform" and settings.seal.directory is not None:
        from server.adapters.seal_keys import create_demo_seal  # half a second of libraries

        create_demo_seal(settings.seal.directory, settings.registry.name)
        done.append(f"demonstration seal: {settings.seal.directory}")
    await migrate_database(settings)
    done.append("database: up to date")
    async with database(wiring.connection(settings), APPS):
        built = wiring.build(settings, partners=False, seal=demo)
        try:
            await catalogue.load_shipped(built.house.catalogue)
            done.append("catalogue: shipped versions loaded")
            await notifications.load_shipped(built.house.notifications)
            done.append("message templates: shipped versions loaded")
            if demo:
                await seed_register(built.house)
                await seed_offices(built.house)
                done.append("register: the demo's fictional units; offices with their slots")
        finally:
            await built.close()
    return done


def _check_no_city(settings: Settings) -> None:
    if settings.mode == "city":
        raise CannotStart("a city's register holds real units only: it is not seeded with the demo's")


async def migrate_database(settings: Settings) -> None:
    """Bring the database to the newest migration; one at a time."""
    await migrate(wiring.connection(settings), APPS)


async def verify_audit(settings: Settings) -> list[Finding]:
    """What is wrong with the audit trail; empty when nothing is."""
    async with database(wiring.connection(settings), APPS):
        return await audit.verify(settings)


async def seed_demo(settings: Settings) -> None:
    """The fictional units of the demo, each with a certificate issued by the same service as any other."""
    _check_no_city(settings)
    async with database(wiring.connection(settings), APPS):
        built = wiring.build(settings, partners=False)
        try:
            await seed_register(built.house)
            await seed_offices(built.house)
        finally:
            await built.close()


async def load_offices(settings: Settings, *, file: Path) -> int:
    """A city's own offices from its file, in the shape of the shipped one; CannotStart when it cannot be used."""
    try:
        offices = read_offices(file.read_text(encoding="utf-8"))
    except (ValueError, YAMLError) as error:
        raise CannotStart(f"{file} cannot be used: {error}") from error
    async with database(wiring.connection(settings), APPS):
        built = wiring.build(settings, partners=False, seal=False)
        try:
            return await appointments.load_offices(built.house.appointments, offices=offices)
        finally:
            await built.close()


async def create_staff(
    settings: Settings,
    *,
    username: str,
    name: str,
    roles: Sequence[str],
    districts: Sequence[str],
    password: str,
) -> dict[str, str]:
    """An account; the authenticator's address is told only now."""
    async with database(wiring.connection(settings), APPS):
        built = wiring.build(settings, partners=False, seal=False)
        try:
            created = await staff.create(
                built.house.staff,
                username=username,
                name=name,
                password=password,
                roles=roles,
                districts=districts or ("*",),
            )
        finally:
            await built.close()
    return {"id": created.id, "totp_uri": created.totp_uri}


async def disable_staff(settings: Settings, *, username: str) -> str:
    """Close an account and end its sessions; answers its id. Error: STAFF_NOT_FOUND."""
    async with database(wiring.connection(settings), APPS):
        built = wiring.build(settings, partners=False, seal=False)
        try:
            staff_id = await staff_queries.id_of(built.house.staff, username=username)
            await staff.disable(built.house.staff, staff_id=staff_id)
        finally:
            await built.close()
    return staff_id


def documents() -> dict[str, str]:
    """The pages that are generated from the code, by file name: `settings.md` and `errors.md`."""
    problems = problems_of(("kit", "server", "payments", "notifications", "miniprogram_api"))
    return {"settings.md": settings_markdown(Settings), "errors.md": errors_markdown(problems)}


def create_ed25519(path: Path) -> None:
    """A private key at `path` (0600) and its public part beside it as `<path>.pub`, unless they are there."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.with_name(path.name + ".pub").write_bytes(public)
    handle, aside = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(private)
    Path(aside).rename(path)
