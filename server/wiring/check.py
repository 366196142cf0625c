"""What `yichuang check` looks at: each thing one row, in order or not; never a secret."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import obstore
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from kit.db import fetch
from kit.db.connection import database
from kit.db.migrate import pending
from kit.errors import OutsideError
from kit.files.store import store_of
from kit.http.hosts import address_flaws
from kit.ids import new_id
from kit.settings import read_secret
from server.adapters.absent import Absent
from server.certificates.rendering import FontsMissingError, check_fonts
from server.database import APPS
from server.settings import LinkSettings, Settings
from server.wiring.build import Built, build, connection
from server.wiring.start import CannotStart


class Checked(Protocol):
    """What every adapter can say of its own configuration."""

    def check_config(self) -> list[str]:
        """Sentences on what is wrong; empty when it is in order. Touches no network."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `yichuang check`."""

    what: str
    ok: bool
    says: str


async def check(settings: Settings, *, connect: bool = False) -> AsyncIterator[Row]:
    """One row per thing; `connect` asks the partners that allow a harmless question."""
    yield Row("settings", ok=True, says=f"mode {settings.mode}, role {settings.role}")
    yield _row("public address", address_flaws("http.public_base_url", settings.http.public_base_url))
    try:
        built = build(settings)
    except CannotStart as error:
        yield Row("keys and secrets", ok=False, says=str(error))
        return
    yield Row("keys and secrets", ok=True, says="all key files can be read and fit together")
    try:
        adapters = _adapters(settings, built)
        asked = await _asked(adapters) if connect else {}
        for name, adapter in adapters.items():
            yield _row(name, adapter.check_config())
            if name in asked:
                yield asked[name]
        if settings.link.kind == "http":
            yield _row("link keys", list(_link_flaws(settings.link)))
        if settings.role != "platform":
            yield _fonts_row(settings)
        yield await _tried("files", lambda: _files(settings))
        yield await _tried("database", lambda: _database(settings))
    finally:
        await built.close()


def _row(what: str, flaws: list[str]) -> Row:
    return Row(what, ok=not flaws, says="; ".join(flaws) or "in order")


def _adapters(settings: Settings, built: Built) -> Mapping[str, Checked]:
    """Those that have something to configure; wallets and taxes are the platform's, the seal is the registry's."""
    found: dict[str, Any] = {}
    if settings.role != "registry":
        outside = built.partners
        found |= {wallet: door.login for wallet, door in outside.doors.items()}
        found |= {"tax": outside.taxes, "departments": outside.departments}
        found |= {f"{wallet} messages": channel for wallet, channel in outside.channels.items()}
        found |= {f"{wallet} pay": ordering for wallet, ordering in outside.ordering.items()}
        found |= {f"{wallet} bills": bills for wallet, bills in outside.bills.items()}
        if not outside.ordering:
            found["payments"] = Absent("wechat_pay")
        found |= _by_provider(outside.carriers)
        if not outside.carriers:
            found["carriers"] = Absent("carrier")
    if settings.role != "platform":
        found["seal"] = built.house.certificates.seal
    if settings.link.kind == "http":
        found["link"] = built.house.relay.registry if settings.role == "platform" else built.house.registry.platform
    return found


def _by_provider(carriers: Mapping[str, Any]) -> dict[str, Any]:
    """One row for each provider, whichever companies it tells of: it is not asked twice."""
    codes: dict[Any, list[str]] = {}
    for code, carrier in carriers.items():
        codes.setdefault(carrier, []).append(code)
    return {f"carrier {', '.join(its)}": carrier for carrier, its in codes.items()}


async def _asked(adapters: Mapping[str, Any]) -> dict[str, Row]:
    """What each adapter's partner answers; all are asked at once, so that those who hang are waited for together."""
    asked = {name: adapter for name, adapter in adapters.items() if hasattr(adapter, "check_connection")}
    rows = await asyncio.gather(*(_connection_row(f"{name}, asked", adapter) for name, adapter in asked.items()))
    silent = {
        name: Row(f"{name}, not asked", ok=True, says=adapter.not_asked)
        for name, adapter in adapters.items()
        if hasattr(adapter, "not_asked")
    }
    return dict(zip(asked, rows, strict=True)) | silent


async def _connection_row(what: str, adapter: Any) -> Row:
    """An adapter whose question proves less than that its partner takes our key says so itself."""
    try:
        says = await adapter.check_connection()
    except OutsideError as error:
        return Row(what, ok=False, says=str(error))
    return Row(what, ok=True, says=says or "it answers")


async def _tried(what: str, attempt: Callable[[], Awaitable[Row]]) -> Row:
    try:
        return await attempt()
    except Exception as error:  # noqa: BLE001 - whatever the driver raises, the row says it
        return Row(what, ok=False, says=f"cannot be used: {type(error).__name__}")


def _link_flaws(link: LinkSettings) -> Iterator[str]:
    """The mistake that is easily made: the public key beside our own is for the other side, and not the other's."""
    if link.key_file is None or link.peer_key_file is None:
        return
    if not link.peer_key_file.is_file():
        yield f"{link.peer_key_file} is missing: bring the other side's public key"
        return
    key = load_pem_private_key(read_secret(link.key_file).encode(), password=None)
    own = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if link.peer_key_file.read_bytes().strip() == own.strip():
        yield f"{link.peer_key_file} is this side's own public key, not the other side's"


def _fonts_row(settings: Settings) -> Row:
    try:
        check_fonts(settings.seal.fonts)
    except FontsMissingError as error:
        return Row("fonts", ok=False, says=str(error))
    return Row("fonts", ok=True, says="a serif for certificates is there")


async def _files(settings: Settings) -> Row:
    """Write, read and delete a small file."""
    store, path = store_of(settings.files), f"check/{new_id()}"
    await obstore.put_async(store, path, b"check")
    try:
        read = bytes(await (await obstore.get_async(store, path)).bytes_async())
    finally:
        await obstore.delete_async(store, path)
    flaws = [] if read == b"check" else ["what was read is not what was written"]
    return Row("files", ok=not flaws, says="; ".join(flaws) or "written, read and deleted")


async def _database(settings: Settings) -> Row:
    async with database(connection(settings), APPS):
        await fetch("SELECT 1")  # an unreachable database would else count as an empty one
        left = await pending(connection(settings), APPS)
    says = f"{len(left)} migrations to apply: yichuang migrate" if left else "up to date"
    return Row("database", ok=not left, says=says)
