import asyncio
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kit.errors import OutsideError
from server.adapters import seal_keys
from server.adapters.seal import SealKeyError
from server.adapters.seal_keys import create_demo_seal, open_seal
from server.certificates.rendering import render
from server.certificates.signing import verify_pdf
from tests.factories.certificates import REGISTRY_NAME, face, qr


def _contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_it_is_made_once(tmp_path: Path):
    first = create_demo_seal(tmp_path / "seal", REGISTRY_NAME)
    before = _contents(tmp_path / "seal")
    assert create_demo_seal(tmp_path / "seal", "另一机构") == first
    assert _contents(tmp_path / "seal") == before
    assert [path.name for path in tmp_path.iterdir()] == ["seal"]


def test_only_the_owner_can_read_it(tmp_path: Path):
    create_demo_seal(tmp_path / "deep" / "seal", REGISTRY_NAME)
    folder = tmp_path / "deep" / "seal"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_every_certificate_says_that_it_is_a_demonstration(tmp_path: Path):
    demo = create_demo_seal(tmp_path / "seal", REGISTRY_NAME)
    for path in (demo.root, demo.signing_chain, demo.tsa_chain):
        for certificate in x509.load_pem_x509_certificates(path.read_bytes()):
            (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            assert "演示" in name.value


def test_a_city_refuses_the_demonstrations_seal_wherever_it_lies(tmp_path: Path):
    create_demo_seal(tmp_path / "seal", "某市不动产登记中心")
    (tmp_path / "seal").rename(tmp_path / "real")
    assert open_seal(tmp_path / "real").name == "某市不动产登记中心（演示）"
    with pytest.raises(SealKeyError, match="demonstration"):
        open_seal(tmp_path / "real", demo=False)


def test_a_key_that_everybody_may_read_is_refused(tmp_path: Path):
    demo = create_demo_seal(tmp_path / "seal", REGISTRY_NAME)
    for key in (demo.signing_key, demo.credential_key, demo.tsa_key):
        key.chmod(0o644)
        with pytest.raises(SealKeyError, match=f"{key.name} may be read by everybody"):
            open_seal(tmp_path / "seal")
        key.chmod(0o640)
        open_seal(tmp_path / "seal")


def test_each_key_has_one_purpose(tmp_path: Path):
    demo = create_demo_seal(tmp_path / "seal", REGISTRY_NAME)
    keys = {path.read_bytes() for path in (demo.signing_key, demo.tsa_key, demo.credential_key)}
    assert len(keys) == 3
    purposes = [
        list(
            x509.load_pem_x509_certificates(path.read_bytes())[0]
            .extensions.get_extension_for_class(x509.ExtendedKeyUsage)
            .value
        )
        for path in (demo.signing_chain, demo.tsa_chain)
    ]
    assert purposes == [[ExtendedKeyUsageOID.EMAIL_PROTECTION], [ExtendedKeyUsageOID.TIME_STAMPING]]


def test_half_a_set_is_reported_not_mended(tmp_path: Path):
    demo = create_demo_seal(tmp_path / "seal", REGISTRY_NAME)
    demo.tsa_key.unlink()
    with pytest.raises(FileNotFoundError, match=r"tsa_key\.pem"):
        create_demo_seal(tmp_path / "seal", REGISTRY_NAME)


def test_the_one_who_comes_second_uses_the_firsts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def write_all(aside: Path, name: str) -> None:
        monkeypatch.undo()
        create_demo_seal(tmp_path / "seal", name)
        original(aside, name)

    original = seal_keys._write_all
    monkeypatch.setattr(seal_keys, "_write_all", write_all)
    demo = create_demo_seal(tmp_path / "seal", REGISTRY_NAME)
    assert demo.root.is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["seal"]
    assert demo.open().key_id


async def test_a_city_may_do_without_an_authority_of_its_own_or_name_one(tmp_path: Path):
    demo = create_demo_seal(tmp_path / "seal", REGISTRY_NAME)
    roots = demo.root.read_bytes()
    for path in (demo.root, demo.tsa_key, demo.tsa_chain):
        path.unlink()
    unsigned = render(face(), qr_png=qr())
    signed = await open_seal(tmp_path / "seal").sign_pdf(unsigned)
    check = await asyncio.to_thread(verify_pdf, signed, roots=roots)
    assert check.sound
    assert check.stamped_at is None
    unreachable = open_seal(tmp_path / "seal", timestamp_url="http://127.0.0.1:1/tsa")
    with pytest.raises(OutsideError, match="TIMESTAMP"):
        await unreachable.sign_pdf(unsigned)


def test_a_seal_without_its_keys_is_no_seal(tmp_path: Path):
    demo = create_demo_seal(tmp_path / "seal", REGISTRY_NAME)
    demo.credential_key.unlink()
    with pytest.raises(FileNotFoundError, match=r"credential_key\.pem"):
        open_seal(tmp_path / "seal")
