"""Every route of every role lets in exactly those it declares, asked over HTTP with real sessions of everybody."""

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from sanic import Sanic
from tortoise.backends.base.executor import EXECUTOR_CACHE

from kit.crypto.keys import create_key_ring
from kit.ids import new_id
from kit.sessions import new_token, token_hash
from kit.web import app as web
from kit.web.routes import RouteSpec
from sandbox import credentials
from sandbox.run.houses import write_split
from sandbox.run.installation import Installation, free_ports
from sandbox.run.partners import Partners
from server import setup, wiring
from server.adapters.seal_keys import create_demo_seal
from server.identity.models import Resident, ResidentSession, WalletAccount
from server.identity.rules import Level
from server.main import create_app
from server.settings import Settings, read
from server.staff import service as staff
from server.staff.models import StaffSession
from server.staff.rules import Role, permissions_of
from server.terms.codes import IdKind
from tests.support.serving import client, running

ROLES = ("all", "platform", "registry")
_PARAMETER = re.compile(r"<[^>]+>")
_LONGEST_AT_ALL = {"maxLength", "pattern", "enum", "const", "format"}


@dataclass(frozen=True)
class Caller:
    """Somebody with a live session; a resident of a level, or a member of staff with what their role may."""

    token: str
    level: int = 0
    permissions: frozenset[str] = frozenset()

    def expected(self, spec: RouteSpec) -> int | None:
        """The status at the edge; None where the caller is let in."""
        if spec.access.who != ("resident" if self.level else "staff"):
            return 401
        allowed = self.level >= spec.access.level if self.level else spec.access.permission in self.permissions
        return None if allowed else 403


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> dict[str, Settings]:
    """One for each role, with every partner configured, keys in place and a migrated database."""
    folder = tmp_path_factory.mktemp("access")
    credentials.init(folder / "sandbox")
    partners = Partners("http://127.0.0.1:9", folder / "sandbox", process=None)  # type: ignore[arg-type]
    houses = {role: Installation(folder / role, role, free_ports()) for role in ROLES}
    limits = {"limits": {"factor": 1000}}
    houses["all"].write_settings({**partners.sections(), "seal": {"directory": folder / "all" / "seal"}, **limits})
    create_demo_seal(folder / "all" / "seal", "演示市不动产登记中心")
    create_demo_seal(folder / "registry" / "seal", "演示市不动产登记中心")
    write_split(houses["platform"], houses["registry"], partners)
    found = {role: read(house.settings_file) for role, house in houses.items()}
    for each in found.values():
        create_key_ring(each.crypto.keys_directory)
        if each.link.key_file is not None:
            setup.create_ed25519(each.link.key_file)
        database = Path(each.database.url.removeprefix("sqlite:///"))
        database.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sqlite_template, database)
    return found


@dataclass(frozen=True)
class Open:
    """A running app, its declarations, and who has a session there."""

    url: str
    specs: list[RouteSpec]
    callers: dict[str, Caller]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Open]:
    EXECUTOR_CACHE.clear()
    built = wiring.build(settings)
    app = create_app(settings, built)
    async with running(app) as url:
        callers = {f"level {level}": await _resident(built, level) for level in Level}
        callers |= {role.value: await _member(built, role) for role in Role}
        yield Open(url, web.specs(app), callers)
    EXECUTOR_CACHE.clear()


async def _resident(built: wiring.Built, level: Level) -> Caller:
    cipher, now, token = built.house.identity.cipher, datetime.now(UTC), new_token()
    resident_id, account_id = new_id(), new_id()
    real = level is Level.REAL_NAME
    await Resident.create(
        id=resident_id,
        level=level,
        name_sealed=cipher.seal("王小强", ("identity_resident.name_sealed", resident_id)) if real else None,
        id_kind=IdKind.RESIDENT_ID if real else None,
        id_number_sealed=cipher.seal("x", ("identity_resident.id_number_sealed", resident_id)) if real else None,
        id_number_blind=new_id() if real else None,
        created_at=now,
        updated_at=now,
    )
    await WalletAccount.create(
        id=account_id,
        resident_id=resident_id,
        wallet="wechat",
        app_id="wx",
        openid_sealed=cipher.seal("o", ("identity_wallet_account.openid_sealed", account_id)),
        openid_blind=new_id(),
        last_login_at=now,
        created_at=now,
    )
    await ResidentSession.create(**_session(token, now), resident_id=resident_id, account_id=account_id)
    return Caller(token, level=level)


async def _member(built: wiring.Built, role: Role) -> Caller:
    now, token = datetime.now(UTC), new_token()
    made = await staff.create(
        built.house.staff,
        username=f"x.{role}",
        name="测试人员",
        password="Long-enough-2026",
        roles=[role],
        districts=["*"],
    )
    await StaffSession.create(**_session(token, now), member_id=made.id)
    return Caller(token, permissions=permissions_of([role]))


def _session(token: str, now: datetime) -> dict[str, Any]:
    ends = now + timedelta(hours=1)
    return {
        "id": new_id(),
        "token_hash": token_hash(token),
        "last_used_at": now,
        "expires_at": ends,
        "created_at": now,
    }


@pytest.mark.parametrize("role", ROLES)
async def test_everybody_comes_in_where_they_may_and_nowhere_else(role: str, settings: dict[str, Settings]):
    wrong = []
    async with opened(settings[role]) as house:
        asked = [spec for spec in house.specs if spec.access.who in {"resident", "staff"}]
        assert {spec.access.who for spec in asked} == ({"resident", "staff"} if role != "registry" else {"staff"})
        for name, caller in house.callers.items():
            async with client(house.url, caller.token) as http:
                for spec in sorted(asked, key=lambda each: each.path.endswith("/sessions/current")):  # the last
                    status, expected = (await _ask(http, spec)).status_code, caller.expected(spec)
                    right = status == expected if expected else status not in {401, 403} and status < 500
                    if not right:
                        wrong.append(f"{name}: {spec.method} {spec.path} is {status}, not {expected or 'let in'}")
    assert wrong == []


async def _ask(http: httpx.AsyncClient, spec: RouteSpec) -> httpx.Response:
    path = _PARAMETER.sub("0" * 32, spec.path)
    sent = {"Content-Type": "application/json", "Idempotency-Key": new_id(), "If-Match": '"1"'}
    return await http.request(spec.method, path, headers=sent, content=b"{}" if spec.body else b"")


async def _specs(settings: Settings) -> list[RouteSpec]:
    built = wiring.build(settings)
    app = create_app(settings, built)
    Sanic.unregister_app(app)
    await built.close()
    return web.specs(app)


@pytest.mark.parametrize("role", ROLES)
async def test_whom_a_route_is_for_is_told_by_its_address(role: str, settings: dict[str, Settings]):
    """A route of staff under the citizens' address, say, would stand on the internet's side of the proxy."""
    prefixes = {"resident": "/api/v1/", "staff": "/staff/v1/", "callback": "/callbacks/"}
    for spec in await _specs(settings[role]):
        assert spec.access.who == "public" or spec.path.startswith(prefixes[spec.access.who]), spec.path


@pytest.mark.parametrize("role", ROLES)
async def test_whatever_may_be_sent_has_a_longest_length(role: str, settings: dict[str, Settings]):
    """What is longer than its column is an error of the mapper, and what has no end fills the memory."""
    endless = []
    for spec in await _specs(settings[role]):
        for model in (spec.body, spec.query):
            if model is not None:
                endless += [f"{spec.method} {spec.path}: {where}" for where in _endless(model)]
    assert endless == []


def _endless(model: type[BaseModel]) -> Iterator[str]:
    whole = model.model_json_schema()
    yield from _endless_in(whole, whole.get("$defs", {}), "$")


def _endless_in(part: dict[str, Any], definitions: dict[str, Any], where: str) -> Iterator[str]:
    if "$ref" in part:
        part = definitions[part["$ref"].rsplit("/", 1)[1]]
    for choice in part.get("anyOf", ()):
        yield from _endless_in(choice, definitions, where)
    kind = part.get("type")
    limits = {"string": _LONGEST_AT_ALL, "array": {"maxItems"}, "integer": {"maximum", "exclusiveMaximum", "enum"}}
    if kind in limits and not limits[kind] & part.keys():
        yield where
    for name, each in part.get("properties", {}).items():
        yield from _endless_in(each, definitions, f"{where}.{name}")
    if isinstance(part.get("items"), dict):
        yield from _endless_in(part["items"], definitions, f"{where}[]")
    if isinstance(part.get("additionalProperties"), dict):
        if "maxProperties" not in part:
            yield f"{where}{{}}"
        yield from _endless_in(part["additionalProperties"], definitions, f"{where}{{}}")
