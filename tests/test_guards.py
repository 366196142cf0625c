"""What holds for the whole house, whoever adds a route, an event, an error, a table or a code to it.

That no personal data is in any log line is looked for in the logs of a whole case, in the test of scenario 1.
"""

import asyncio
import contextlib
import importlib
import inspect
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pymysql
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from sanic import Sanic

from kit.crypto.keys import create_key_ring
from kit.errors import Problem
from kit.outbox import Event
from kit.web import app as web
from kit.web import openapi
from kit.web.errors_docs import modules_of, problems_of
from kit.web.routes import RouteSpec
from sandbox import credentials
from sandbox.run.houses import write_split
from sandbox.run.installation import Installation, free_ports
from sandbox.run.partners import Partners
from server import setup, wiring
from server.adapters.seal_keys import create_demo_seal
from server.journeys.handlers import PLATFORM, REGISTRY, handlers_of
from server.main import create_app
from server.settings import Settings, read
from tests.support.nursery import Nursery

PACKAGES = ("kit", "server", "payments", "notifications", "miniprogram_api")
# Ends of their ways: they are published so that somebody can listen one day.
UNHEARD: set[str] = set()
HANDLERS = [
    "applications.bind_parties",
    "appointments.clear_day",
    "delivery.poll",
    "delivery.record_push",
    "delivery.subscribe",
    "fees.call_off",
    "fees.fall_due",
    "fees.settled",
    "notifications.deliver",
    "notifications.receipt",
    "payments.fetch_bill",
    "payments.poll",
    "payments.refund",
    "payments.settle_notice",
    "registering.issue",
    "registering.issue_released",
    "registering.send_certificate",
    "registering.send_status",
    "registry.record",
    "registry.send",
    "relay.forward_fee",
    "relay.forward_package",
    "relay.forward_paper",
    "relay.forward_tax",
    "relay.forward_withdrawal",
    "relay.record",
    "taxes.declare",
    "taxes.record",
    "telling.accepted",
    "telling.appointment_booked",
    "telling.appointment_cancelled",
    "telling.appointment_office_closed",
    "telling.certificate_ready",
    "telling.confirmation_requested",
    "telling.correction_asked",
    "telling.delivery_dispatched",
    "telling.delivery_moved",
    "telling.entered",
    "telling.expired",
    "telling.fee_due",
    "telling.party_refused",
    "telling.payment_settled",
    "telling.refund_settled",
    "telling.progress_notice",
    "telling.refused",
    "telling.submitted",
    "telling.wallet_joined",
]
PUBLIC = {
    "GET /V/<code:str>",
    "GET /api/v1/catalogue/businesses/<code:str>",
    "GET /api/v1/offices",
    "GET /docs/",
    "GET /docs/assets/<name>",
    "GET /docs/openapi.json",
    "GET /docs/start.js",
    "GET /healthz",
    "GET /readyz",
    "GET /v/<code:str>",
    "POST /api/v1/certificates/verify",
    "POST /api/v1/sessions/alipay",
    "POST /api/v1/sessions/wechat",
    "POST /staff/v1/sessions",
}
LONGEST_CODE = 32
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_PARAMETER = re.compile(r"<[^>]+>")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Settings]:
    """One for each role, with every partner configured and keys in place."""
    folder = tmp_path_factory.mktemp("guards")
    credentials.init(folder / "sandbox")
    partners = Partners("http://127.0.0.1:9", folder / "sandbox", process=None)  # type: ignore[arg-type]
    houses = {role: Installation(folder / role, role, free_ports()) for role in ("all", "platform", "registry")}
    houses["all"].write_settings({**partners.sections(), "seal": {"directory": folder / "all" / "seal"}})
    create_demo_seal(folder / "all" / "seal", "演示市不动产登记中心")
    create_demo_seal(folder / "registry" / "seal", "演示市不动产登记中心")
    write_split(houses["platform"], houses["registry"], partners)
    found = {role: read(house.settings_file) for role, house in houses.items()}
    for each in found.values():
        create_key_ring(each.crypto.keys_directory)
        if each.link.key_file is not None:
            setup.create_ed25519(each.link.key_file)
    return found


@pytest.fixture(scope="module")
def specs(settings: dict[str, Settings]) -> dict[str, list[RouteSpec]]:
    found = {}
    for role, each in settings.items():
        made = wiring.build(each)
        app = create_app(each, made)
        found[role] = web.specs(app)
        Sanic.unregister_app(app)
        asyncio.run(made.close())
    return found


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@contextlib.contextmanager
def _served(nursery: Nursery, settings: Settings, folder: Path) -> Iterator[str]:
    url = f"http://127.0.0.1:{settings.http.port}"
    file = settings.files.directory
    assert file is not None
    log = folder / "server.log"
    pid = nursery.start("--settings", str(file.parent / "yichuang.toml"), "serve", log=log)
    try:
        deadline = time.monotonic() + 60
        while not _answers(url):
            assert nursery.status(pid) is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield url
    finally:
        os.kill(pid, signal.SIGKILL)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("role", ["all", "platform", "registry"])
def test_every_route_is_declared_and_closed_to_strangers(
    role: str, settings: dict[str, Settings], specs: dict[str, list[RouteSpec]], nursery: Nursery, tmp_path: Path
):
    assert len(specs[role]) > 10
    with (
        _served(nursery, settings[role], tmp_path) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=60) as stranger,
    ):
        for spec in specs[role]:
            if spec.access.who == "public":
                assert spec.access.reason, spec.path
                continue
            answer = _ask(stranger, spec)
            expected = {"CALLBACK_SIGNATURE_WRONG", "NOTICE_REFUSED"}
            if spec.access.who != "callback":
                expected = {"SESSION_MISSING"}
            where = f"{spec.method} {spec.path}"
            assert (answer.status_code, answer.json()["code"] in expected) == (401, True), where


def _ask(stranger: httpx.Client, spec: RouteSpec) -> httpx.Response:
    path = _PARAMETER.sub(lambda found: "0" * (64 if "{64}" in found[0] else 32), spec.path)
    sent = {"Content-Type": "application/json", "Idempotency-Key": "guard-0001"}
    return stranger.request(spec.method, path, headers=sent, content=b"{}")


def test_public_routes_are_these(specs: dict[str, list[RouteSpec]]):
    public = {f"{spec.method} {spec.path}" for found in specs.values() for spec in found if _is_public(spec)}
    assert public == PUBLIC


@pytest.mark.parametrize("role", ["platform", "registry", "all"])
def test_the_interface_of_each_role_is_valid_openapi(role: str, specs: dict[str, list[RouteSpec]]):
    document = openapi.document(specs[role], title="Yichuang", version="1")
    OpenAPIV31SpecValidator(document).validate()
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert len(described) == len({(spec.path, spec.method) for spec in specs[role]})


def _is_public(spec: RouteSpec) -> bool:
    return spec.access.who == "public"


def _classes() -> Iterator[type]:
    for package in PACKAGES:
        for name in modules_of(package):
            module = importlib.import_module(name)
            for item in vars(module).values():
                if inspect.isclass(item) and item.__module__ == name:
                    yield item


def test_every_event_is_heard_or_listed():
    events = {item for item in _classes() if issubclass(item, Event) and "name" in vars(item)}
    assert len(events) > 20
    names = Counter(event.name for event in events)
    assert max(names.values()) == 1, names
    heard = {handler.event for handler in handlers_of("all")}
    assert {event.name for event in events - heard} == UNHEARD
    source = "".join(path.read_text(encoding="utf-8") for path in _sources())
    for event in events:
        assert re.search(rf"\b{event.__name__}\(", source.replace(f"class {event.__name__}(", "")), event.name


def _sources() -> list[Path]:
    root = Path(__file__).resolve().parents[1]
    found = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def test_handlers_keep_their_names():
    """The names lie in rows of running cities: one that is renamed parks them."""
    names = [handler.name for handler in PLATFORM + REGISTRY]
    assert sorted(names) == sorted(HANDLERS)
    assert len(names) == len(set(names))
    assert not {each.name for each in PLATFORM} & {each.name for each in REGISTRY}


def test_every_problem_speaks_chinese_under_a_code_of_its_own():
    problems = problems_of(PACKAGES)
    assert len(problems) > 60
    codes = Counter(problem.code for problem in problems)
    assert not [code for code, count in codes.items() if count > 1]
    for problem in problems:
        assert problem is not Problem
        assert re.fullmatch(r"[A-Z][A-Z0-9_]{2,63}", problem.code), problem
        assert _CHINESE.search(problem.title), problem.code
        assert not problem.title.endswith("。"), f"{problem.code}: a title is no whole sentence"


def test_codes_fit_their_columns():
    enums = [item for item in _classes() if issubclass(item, StrEnum)]
    assert len(enums) > 10
    for enum in enums:
        for value in enum:
            assert len(value) <= LONGEST_CODE, f"{enum.__name__}.{value}"


def test_every_table_is_in_the_binary_collation(mariadb_url: str):
    """Else `oAbC` were `oabc`, and one rare character another."""
    parts = urlsplit(mariadb_url)
    name = parts.path.lstrip("/")
    connection = pymysql.connect(host="127.0.0.1", port=int(os.environ["TEST_MARIADB_PORT"]), user="root")
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, table_collation FROM information_schema.tables WHERE table_schema = %s", (name,)
        )
        tables = dict(cursor.fetchall())
        cursor.execute(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns "
            "WHERE table_schema = %s AND collation_name IS NOT NULL",
            (name,),
        )
        columns = cursor.fetchall()
    assert len(tables) > 40
    assert set(tables.values()) == {"utf8mb4_bin"}
    assert {column[2] for column in columns} == {"utf8mb4_bin"}
