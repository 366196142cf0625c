from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kit.clock import FixedClock
from kit.errors import OutsideError
from server.adapters.fake_login import FakeAlipay
from server.identity.errors import LoginCodeRejected, PhoneCodeRejected
from server.identity.ports import PhoneProof
from tests.server.adapters.alipay_wire import Wire, wire


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Wire]:
    async with wire(tmp_path) as opened:
        yield opened


async def code(line: Wire, person: str = "P1", **more: str) -> str:
    return str((await line.city.control("POST", "/alipay/login", person=person, **more))["code"])


async def phone(line: Wire, person: str = "P1", **more: bool) -> PhoneProof:
    return PhoneProof(**await line.city.control("POST", "/alipay/phone", person=person, **more))


async def test_a_code_becomes_an_identity_once(line: Wire) -> None:
    given = await code(line)
    found = await line.door.login.exchange(given)
    assert (found.wallet, found.app_id, found.session_key) == ("alipay", line.section["app_id"], None)
    assert found.user_id is not None
    assert found.user_id.startswith("2088")
    assert found.openid != found.user_id
    for secret in (found.openid, found.user_id):
        assert secret not in repr(found)
    with pytest.raises(LoginCodeRejected):
        await line.door.login.exchange(given)
    assert (await line.door.login.exchange(await code(line))).openid == found.openid


async def test_apps_are_given_different_ids(line: Wire) -> None:
    both = await line.door.login.exchange(await code(line))
    new = await line.door.login.exchange(await code(line, ids="open_id"))
    old = await line.door.login.exchange(await code(line, ids="user_id"))
    assert (new.openid, new.user_id) == (both.openid, None)
    assert (old.openid, old.user_id) == (both.user_id, both.user_id)


@pytest.mark.parametrize("wrong", ["", "x" * 129, "never given", "码"])
async def test_what_is_no_code(line: Wire, wrong: str) -> None:
    with pytest.raises(LoginCodeRejected):
        await line.door.login.exchange(wrong)


async def test_the_connection_is_in_order(line: Wire) -> None:
    assert line.door.login.check_config() == []  # type: ignore[attr-defined]
    await line.door.login.check_connection()  # type: ignore[attr-defined]


async def test_a_wrong_app_id_shows_in_both_checks(tmp_path: Path) -> None:
    async with wire(tmp_path, app_id="wx1") as line:
        assert "16 digits" in line.door.login.check_config()[0]  # type: ignore[attr-defined]
        with pytest.raises(OutsideError) as refused:
            await line.door.login.check_connection()  # type: ignore[attr-defined]
        assert refused.value.code == "isv.invalid-app-id"


async def test_a_key_that_alipay_does_not_know(tmp_path: Path) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "stranger.pem"
    path.write_bytes(stranger.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    async with wire(tmp_path, app_key_file=path) as line:
        with pytest.raises(OutsideError) as refused:
            await line.door.login.check_connection()  # type: ignore[attr-defined]
        assert (refused.value.code, refused.value.permanent) == ("isv.invalid-signature", False)


async def test_a_clock_that_is_wrong(tmp_path: Path) -> None:
    async with wire(tmp_path, clock=FixedClock(datetime(2020, 1, 1, tzinfo=UTC))) as line:
        with pytest.raises(OutsideError) as refused:
            await line.door.login.exchange(await code(line))
        assert (refused.value.code, refused.value.permanent) == ("isv.invalid-timestamp", False)


@pytest.mark.parametrize("kind", ["status", "wrong_signature", "drop"])
async def test_a_gateway_that_is_not_well_is_its_own_fault(line: Wire, kind: str) -> None:
    await line.city.control("POST", "/faults", target="alipay.oauth", kind=kind)
    with pytest.raises(OutsideError) as failed:
        await line.door.login.exchange(await code(line))
    assert not failed.value.permanent


async def test_a_sealed_phone_number(line: Wire) -> None:
    number = await line.door.phones.number(await phone(line), "whoever")
    assert number.isdigit()
    assert len(number) == 11


async def test_phone_proofs_that_are_none(line: Wire) -> None:
    genuine = await phone(line)
    other = await phone(line, "P2")
    for proof in (
        PhoneProof(),
        PhoneProof(code="c0de"),
        PhoneProof(response=genuine.response),
        PhoneProof(response=genuine.response, sign=other.sign),
        await phone(line, refused=True),
        await phone(line, wrong_key=True),
    ):
        with pytest.raises(PhoneCodeRejected):
            await line.door.phones.number(proof, "whoever")


async def test_the_fake_keeps_the_same_promises() -> None:
    fake = FakeAlipay()
    given = fake.give_login_code("o1")
    found = await fake.exchange(given)
    assert (found.wallet, found.openid) == ("alipay", "o1")
    assert (found.user_id or "").startswith("2088")
    with pytest.raises(LoginCodeRejected):
        await fake.exchange(given)
    proof = fake.give_phone("13800001234")
    for openid in ("o1", "o2", "o1"):  # as with the real one, whoever holds it may bring it again
        assert await fake.number(proof, openid) == "13800001234"
    for wrong in (PhoneProof(code="c"), PhoneProof(response=proof.response, sign="x")):
        with pytest.raises(PhoneCodeRejected):
            await fake.number(wrong, "o1")
