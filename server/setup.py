"""What is done once, by command: keys, tables, shipped data, accounts, generated pages."""

import os
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from yaml import YAMLError

from kit.audit.service import Actor
from kit.audit.verify import Finding
from kit.crypto.keys import create_key_ring
from kit.db.connection import database
from kit.db.migrate import migrate
from kit.idempotency import RequestKey, once
from kit.idempotency.service import new_key
from kit.ids import new_id
from kit.settings_docs import settings_markdown
from kit.web.errors_docs import errors_markdown, problems_of
from notifications import service as notifications
from payments import bill_queries
from payments import service as payments
from payments.bill_report import report
from payments.ports import Needs
from payments.rules import wallet_text
from server import wiring
from server.appointments import service as appointments
from server.appointments.content import read as read_offices
from server.catalogue import service as catalogue
from server.database import APPS
from server.journeys.house import House
from server.journeys.seeding import seed_demo as seed_register
from server.journeys.seeding import seed_offices
from server.registry import queries as registry_queries
from server.registry import service as registry
from server.settings import Settings
from server.staff import queries as staff_queries
from server.staff import service as staff
from server.terms.scope import Scope
from server.wiring import CannotStart, audit

_MOST_FINDINGS = 10_000


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
                done.append(await _seed(built.house))
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
            await _seed(built.house)
        finally:
            await built.close()


async def _seed(house: House) -> str:
    """What a side needs for the demo; the register is never the platform's."""
    done = []
    if house.role != "platform":
        await seed_register(house)
        done.append("the register's fictional units")
    if house.role != "registry":
        await seed_offices(house)
        done.append("offices with their slots")
    return f"demo: {', '.join(done)}"


async def load_offices(settings: Settings, *, text: str) -> int:
    """A city's own offices from YAML in the shape of the shipped file; CannotStart when it cannot be used."""
    try:
        offices = read_offices(text)
    except (ValueError, YAMLError) as error:
        raise CannotStart(f"the offices cannot be used: {error}") from error
    async with database(wiring.connection(settings), APPS):
        built = wiring.build(settings, partners=False, seal=False)
        try:
            return await appointments.load_offices(built.house.appointments, offices=offices)
        finally:
            await built.close()


async def reconcile(settings: Settings, *, day: date, wallet: str | None = None) -> tuple[list[str], bool]:
    """The lines of a day's reconciliation, and whether nothing is unexplained: of one wallet, or of all there are.

    Bills that were fetched are held against our books as they are now. A bill that is not there is unexplained.
    """
    built = wiring.build(settings, seal=False)
    async with database(wiring.connection(settings), APPS):
        try:
            return await _reconciled(built.house.payments, day, wallet)
        finally:
            await built.close()


async def _reconciled(needs: Needs, day: date, wallet: str | None) -> tuple[list[str], bool]:
    lines: list[str] = []
    known = {each.wallet: each.id for each in await bill_queries.bills(needs, day=day, limit=100)}
    fine = bool(wallet or known or needs.bills)
    if not fine:  # a job on the wrong machine must not read as "all is balanced"
        lines.append("这里没有接通钱包，没有可核对的账单")
    for name in [wallet] if wallet else sorted({*known, *needs.bills}):
        if name not in known:
            lines += [f"{wallet_text(name)} {day}  没有账单", ""]
            fine = False
            continue
        await payments.conclude(needs, bill_id=known[name])
        bill = await bill_queries.bill(needs, bill_id=known[name])
        if bill is not None:
            found = await bill_queries.findings(needs, bill_id=bill.id, limit=_MOST_FINDINGS)
            lines += [*report(bill, found), ""]
            fine = fine and bill.nothing_unexplained
    return lines, fine


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


async def notify(settings: Settings, *, number: str, text: str, key: str | None) -> str:
    """Write to the parties of a case, as officers do at their desk; answers the push's id.

    The same `key` again answers the same id and writes nothing. CannotStart on the platform alone, which has no cases.
    Errors: CASE_NOT_FOUND, NOTICE_INVALID, IDEMPOTENCY_KEY_REUSED for another text under the key.
    """
    if settings.role == "platform":
        raise CannotStart("cases are the registry's: run this where the registry runs")
    async with database(wiring.connection(settings), APPS):
        built = wiring.build(settings, partners=False, seal=False)
        try:
            return await _notify(built.house, number=number, text=text, key=key or new_id())
        finally:
            await built.close()


async def _notify(house: House, *, number: str, text: str, key: str) -> str:
    needs = house.registry
    case_id = await registry_queries.case_numbered(needs, number=number)
    actor, digest = Actor("system", "command"), house.cipher.digest_keyed(text.encode(), purpose="idempotency")
    given = new_key(who="system:command", route=f"notify {case_id}", key=key, digest=digest, clock=house.clock)

    async def push(request: RequestKey) -> str:
        return await registry.push_notice(
            needs, actor=actor, scope=Scope.all(), case_id=case_id, text=text, key=request
        )

    return (await once(given, push, status=201)).result_id


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
