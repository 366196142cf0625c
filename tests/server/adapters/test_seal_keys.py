import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from server.adapters import seal_keys
from server.adapters.seal import SealKeyError
from server.adapters.seal_keys import create_demo_seal, open_seal
from tests.factories.certificates import REGISTRY_NAME


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
