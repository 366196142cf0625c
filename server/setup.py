"""What is done once, by command: keys, tables, shipped data, accounts, and the check of all of it."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kit.crypto.keys import create_key_ring
from kit.db.connection import database
from kit.db.migrate import migrate, pending
from server import wiring
from server.catalogue import service as catalogue
from server.database import APPS
from server.journeys.seeding import seed_demo as seed_register
from server.settings import Settings
from server.staff import service as staff


async def prepare(settings: Settings, *, demo: bool = False) -> list[str]:
    """Make what is missing and answer what was done; safe to repeat. `demo` seeds the demonstration register too."""
    done = [f"keys: {settings.crypto.keys_directory}"]
    create_key_ring(settings.crypto.keys_directory)
    create_ed25519(wiring.audit_key_file(settings))
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
            if demo:
                await seed_register(built.house)
                done.append("register: the demo's fictional units")
        finally:
            await built.close()
    return done


async def migrate_database(settings: Settings) -> None:
    """Bring the database to the newest migration; one at a time."""
    await migrate(wiring.connection(settings), APPS)


async def seed_demo(settings: Settings) -> None:
    """The fictional units of the demo, each with a certificate issued by the same service as any other."""
    async with database(wiring.connection(settings), APPS):
        built = wiring.build(settings, partners=False)
        try:
            await seed_register(built.house)
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


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `yichuang check`."""

    what: str
    ok: bool
    says: str


async def check(settings: Settings) -> list[Row]:
    """What is in order and what is not; never prints a secret."""
    rows = [Row("settings", ok=True, says=f"mode {settings.mode}, role {settings.role}")]
    try:
        built = wiring.build(settings)
    except wiring.CannotStart as error:
        return [*rows, Row("keys and partners", ok=False, says=str(error))]
    rows.append(Row("keys and partners", ok=True, says="all key files can be read and fit together"))
    rows += _partner_rows(settings)
    missing_fonts = [str(folder) for folder in settings.seal.fonts if not folder.is_dir()]
    fonts = f"missing: {', '.join(missing_fonts)}" if missing_fonts else "found"
    rows.append(Row("fonts", ok=not missing_fonts, says=fonts))
    try:
        async with database(wiring.connection(settings), APPS):
            left = await pending(wiring.connection(settings), APPS)
            says = f"{len(left)} migrations to apply" if left else "up to date"
            rows.append(Row("database", ok=not left, says=says))
    except Exception as error:  # noqa: BLE001 - whatever the driver raises, the row says it
        rows.append(Row("database", ok=False, says=type(error).__name__))
    finally:
        await built.close()
    return rows


def _partner_rows(settings: Settings) -> list[Row]:
    """Wallets and taxes are the platform's; a registry alone needs none of them."""
    if settings.role == "registry":
        return []
    sections = (("wechat", settings.wechat), ("wechat_pay", settings.wechat_pay), ("tax", settings.tax))
    return [
        Row(name, ok=section is not None, says=section.base_url if section else "not configured")
        for name, section in sections
    ]


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
