import asyncio
import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kit.clock import SystemClock
from notifications.channels.wechat import WechatChannel
from sandbox import credentials
from sandbox.run.partners import Partners
from sandbox.server import served
from server import setup
from server.adapters.seal_keys import create_demo_seal, open_seal
from server.settings import Settings
from server.wiring.check import Row, _asked, check
from server.wiring.connect import connect

_ANSWERS = {
    "wechat": "it answers",
    "alipay": "it answers",
    "wechat pay": "it answers",
    "alipay pay": "it answers",
    "tax": "it answers",
    "departments": "it answers",
    "sms messages": "it answers",
    "carrier ems": "it answers",
    "carrier shunfeng": "it answers",
}


def _settings(folder: Path) -> dict[str, Any]:
    """An embedded house with a sandbox that is not running."""
    partners = Partners("http://127.0.0.1:9", folder / "sandbox", process=None)  # type: ignore[arg-type]
    return {
        "database": {"url": f"sqlite:///{folder / 'city.db'}"},
        "files": {"directory": folder / "files"},
        "crypto": {"keys_directory": folder / "keys"},
        "seal": {"directory": folder / "seal"},
        **partners.sections(),
    }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house") / "prepared"
    credentials.init(folder / "sandbox")
    asyncio.run(setup.prepare(Settings.model_validate(_settings(folder))))
    return folder


@pytest.fixture
def prepared(template: Path, tmp_path: Path) -> dict[str, Any]:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return _settings(tmp_path)


async def _rows(given: dict[str, Any], *, connect: bool = False) -> dict[str, Row]:
    return {row.what: row async for row in check(Settings.model_validate(given), connect=connect)}


def _bad(rows: dict[str, Row]) -> dict[str, str]:
    return {row.what: row.says for row in rows.values() if not row.ok}


async def test_a_prepared_house_is_in_order(prepared: dict[str, Any]):
    rows = await _rows(prepared)
    assert _bad(rows) == {}
    assert {
        "wechat",
        "wechat pay",
        "wechat messages",
        "tax",
        "departments",
        "carrier ems",
        "carrier shunfeng",
        "seal",
        "fonts",
        "files",
        "database",
    } <= rows.keys()


async def test_both_wallets_pay_and_what_is_wrong_with_one_is_said(prepared: dict[str, Any]):
    assert {"wechat pay", "alipay pay"} <= (await _rows(prepared)).keys()
    prepared["alipay"]["seller_id"] = "1900000109"
    assert "2088" in _bad(await _rows(prepared))["alipay pay"]


async def test_before_anything_is_prepared_it_says_what_to_do(prepared: dict[str, Any], tmp_path: Path):
    shutil.rmtree(tmp_path / "keys")
    assert "yichuang prepare" in _bad(await _rows(prepared))["keys and secrets"]


def _no_wallet(given: dict[str, Any], _: Path) -> None:
    for name in ("wechat", "wechat_pay", "alipay"):
        del given[name]


def _alipay_app(given: dict[str, Any], _: Path) -> None:
    given["alipay"]["app_id"] = "wx0123456789abcdef"


def _alipay_keys(given: dict[str, Any], _: Path) -> None:
    given["alipay"]["public_key_file"] = given["alipay"]["app_key_file"]


def _alipay_own_key(given: dict[str, Any], folder: Path) -> None:
    own = serialization.load_pem_private_key(given["alipay"]["app_key_file"].read_bytes(), password=None).public_key()
    path = folder / "own.pem"
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(own.public_bytes(serialization.Encoding.PEM, spki))
    given["alipay"]["public_key_file"] = path


def _address(given: dict[str, Any], _: Path) -> None:
    given["http"] = {"public_base_url": "http://bdc.city.example"}


def _tax_address(given: dict[str, Any], _: Path) -> None:
    given["tax"]["base_url"] = "http://tax.city.example"


def _secret(given: dict[str, Any], folder: Path) -> None:
    given["wechat"]["app_secret_file"] = _written(folder / "secret", "short")


def _template(given: dict[str, Any], _: Path) -> None:
    given["wechat"]["templates"] = {"case_acepted": "T"}


def _apiv3(given: dict[str, Any], folder: Path) -> None:
    given["wechat_pay"]["apiv3_key_file"] = _written(folder / "apiv3", "too short")


def _readable_key(_: dict[str, Any], folder: Path) -> None:
    (folder / "keys" / "k1.key").chmod(0o644)


def _no_seal(_: dict[str, Any], folder: Path) -> None:
    shutil.rmtree(folder / "seal")


def _seal_lacks_a_file(_: dict[str, Any], folder: Path) -> None:
    (folder / "seal" / "signing_key.pem").unlink()


def _no_fonts(given: dict[str, Any], folder: Path) -> None:
    given["seal"]["fonts"] = [folder / "keys"]


def _no_tables(given: dict[str, Any], folder: Path) -> None:
    given["database"]["url"] = f"sqlite:///{folder / 'other.db'}"


def _no_database(given: dict[str, Any], _: Path) -> None:
    given["database"]["url"] = "mysql://nobody@127.0.0.1:9/none"


def _written(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("spoil", "what", "says"),
    [
        (_no_wallet, "wechat", "not configured"),
        (_no_wallet, "alipay", "not configured"),
        (_no_wallet, "payments", "not configured"),
        (_alipay_app, "alipay", "16 digits"),
        (_alipay_keys, "keys and secrets", "no public key"),
        (_alipay_own_key, "keys and secrets", "the app's own public key"),
        (_address, "public address", "is not https"),
        (_address, "wechat pay", "is not https"),
        (_tax_address, "tax", "is not https"),
        (_secret, "wechat", "32 characters, not 5"),
        (_template, "wechat messages", "case_acepted is no template"),
        (_apiv3, "keys and secrets", "32"),
        (_readable_key, "keys and secrets", "0600"),
        (_no_seal, "seal", "no seal"),
        (_seal_lacks_a_file, "keys and secrets", "signing_key.pem"),
        (_no_fonts, "fonts", "fonts-noto-cjk"),
        (_no_tables, "database", "yichuang migrate"),
        (_no_database, "database", "DBConnectionError"),
    ],
)
async def test_what_is_wrong_has_its_row(
    prepared: dict[str, Any], tmp_path: Path, spoil: Callable[[dict[str, Any], Path], None], what: str, says: str
):
    spoil(prepared, tmp_path)
    assert says in _bad(await _rows(prepared))[what]


async def test_no_row_shows_a_secret(prepared: dict[str, Any], tmp_path: Path):
    _secret(prepared, tmp_path)
    text = " ".join(row.says for row in (await _rows(prepared)).values())
    assert "short" not in text


@pytest.mark.parametrize(
    ("begins", "ends", "says"),
    [(-9, 29, "renew it now"), (-9, -1, "has been invalid since"), (1, 900, "valid only from"), (-9, 31, "")],
)
def test_the_seal_tells_of_its_certificates_dates(tmp_path: Path, begins: int, ends: int, says: str):
    create_demo_seal(tmp_path / "seal", "某登记中心")
    _reissue(tmp_path / "seal", begins, ends)
    flaws = open_seal(tmp_path / "seal").check_config()
    assert [says in flaw for flaw in flaws] == [True] * bool(says)


def _reissue(seal: Path, begins: int, ends: int) -> None:
    """A signing certificate for the same key, with other dates."""
    key = serialization.load_pem_private_key((seal / "signing_key.pem").read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    old = x509.load_pem_x509_certificates((seal / "signing_chain.pem").read_bytes())[0]
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, key.public_key(), 7, now + dt.timedelta(begins), now + dt.timedelta(ends)
    )
    fresh = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (seal / "signing_chain.pem").write_bytes(fresh)


async def test_partners_are_asked_only_on_request(prepared: dict[str, Any]):
    assert _bad(await _rows(prepared)) == {}
    bad = _bad(await _rows(prepared, connect=True))
    assert bad.keys() >= {f"{each}, asked" for each in _ANSWERS}
    assert all(what.endswith(", asked") for what in bad)
    assert all("UNREACHABLE" in says for says in bad.values())


async def test_partners_that_answer_are_told(prepared: dict[str, Any], tmp_path: Path):
    async with served(tmp_path / "sandbox") as sandbox:
        running = Partners(sandbox.url, tmp_path / "sandbox", process=None)  # type: ignore[arg-type]
        rows = await _rows(prepared | running.sections(), connect=True)
        assert _bad(rows) == {}
        assert {each: rows[f"{each}, asked"].says for each in _ANSWERS} == _ANSWERS
        for wallet in ("wechat", "alipay"):
            assert f"the API of {wallet} pay" in rows[f"{wallet} bills, not asked"].says
        async with httpx.AsyncClient(base_url=f"{sandbox.url}/_control", trust_env=False) as control:
            for books in ("carrier/parcels", "tax/declarations"):
                assert (await control.get(f"/{books}")).json()["items"] == [], f"asking left something in {books}"


def _wrong_word(given: dict[str, Any], folder: Path, section: str, name: str) -> None:
    given[section][name] = _written(folder / "wrong", "0" * 32)


def _another_signer(given: dict[str, Any], folder: Path, section: str, name: str) -> None:
    setup.create_ed25519(folder / "another.pem")
    given[section][name] = folder / ("another.pem" if name == "key_file" else "another.pem.pub")


@pytest.mark.parametrize(
    ("spoil", "section", "name", "what", "says"),
    [
        (_wrong_word, "wechat", "app_secret_file", "wechat", "40125"),
        (_wrong_word, "carrier", "key_file", "carrier ems", "CODE_503"),
        (_wrong_word, "carrier_sf", "check_word_file", "carrier shunfeng", "A1006"),
        (_another_signer, "tax", "key_file", "tax", "HTTP_401"),
        (_another_signer, "tax", "bureau_key_file", "tax", "BAD_ANSWER"),
    ],
)
async def test_a_partner_that_does_not_know_our_key_is_told(
    prepared: dict[str, Any],
    tmp_path: Path,
    spoil: Callable[[dict[str, Any], Path, str, str], None],
    section: str,
    name: str,
    what: str,
    says: str,
):
    async with served(tmp_path / "sandbox") as sandbox:
        given = prepared | Partners(sandbox.url, tmp_path / "sandbox", process=None).sections()  # type: ignore[arg-type]
        spoil(given, tmp_path, section, name)
        bad = _bad(await _rows(given, connect=True))
    assert list(bad) == [f"{what}, asked"]
    assert says in bad[f"{what}, asked"]


@dataclass
class _Hanging:
    """A partner that answers only once all the others have been asked as well."""

    barrier: asyncio.Barrier
    says: str

    async def check_connection(self) -> str:
        await asyncio.wait_for(self.barrier.wait(), 60)
        return self.says


async def test_partners_that_hang_are_waited_for_together():
    barrier = asyncio.Barrier(5)
    rows = await _asked({name: _Hanging(barrier, f"{name} answers") for name in "edcba"})
    assert [(name, row.what, row.says) for name, row in rows.items()] == [
        (name, f"{name}, asked", f"{name} answers") for name in "edcba"
    ]


async def test_the_order_of_the_rows_is_the_same_whoever_is_asked(prepared: dict[str, Any]):
    asked = await _rows(prepared, connect=True)
    assert [what for what in asked if not what.endswith("asked")] == list(await _rows(prepared))
    for name in _ANSWERS:
        assert list(asked).index(f"{name}, asked") == list(asked).index(name) + 1


async def test_a_link_with_its_own_public_key_is_found(prepared: dict[str, Any], tmp_path: Path):
    own = tmp_path / "link" / "key.pem"
    setup.create_ed25519(own)
    prepared |= {
        "role": "registry",
        "link": {
            "kind": "http",
            "platform_url": "http://platform.extranet.example",
            "registry_url": "https://registry.extranet.example",
            "key_file": own,
            "peer_key_file": own.with_name("key.pem.pub"),
        },
    }
    bad = _bad(await _rows(prepared))
    assert "own public key" in bad["link keys"]
    assert "is not https" in bad["link"]
    assert "wechat" not in await _rows(prepared), "the registry has no wallets"


async def test_templates_may_be_left_out(prepared: dict[str, Any]):
    prepared["wechat"]["templates"] = {}
    partners = connect(Settings.model_validate(prepared), SystemClock())
    assert isinstance(partners.channels["wechat"], WechatChannel)
    assert partners.channels["wechat"].check_config() == []
    for client in partners.clients:
        await client.aclose()
