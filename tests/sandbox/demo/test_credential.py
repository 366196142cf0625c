"""The stranger's check of a credential agrees with what the registry issues, and with nothing else."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cwt.exceptions import VerifyError

from sandbox.demo import credential
from server.certificates.credential import encode_base32, issue, key_id_of
from tests.factories.certificates import NUMBER, claims

KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def public_key(tmp_path: Path) -> Path:
    path = tmp_path / "credential_public.pem"
    path.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def link() -> str:
    issued = issue(claims(), key=KEY, key_id=key_id_of(KEY.public_key()))
    return f"https://city.example/v/{encode_base32(issued)}"


def test_a_credential_verifies_and_says_what_it_is_for(public_key: Path):
    cose = credential.credential_of(link())
    assert len(cose) <= credential.MAX_BYTES
    found = credential.verify_offline(cose, public_key=public_key)
    assert credential.unit_code_of(found) == claims().unit_code
    assert credential.serial_in(found, NUMBER)
    assert not credential.serial_in(found, NUMBER.replace("0000012", "0000013"))


def test_a_changed_claim_does_not_verify(public_key: Path):
    cose = bytearray(credential.credential_of(link()))
    place = cose.index(b"320114001002GB00012F00180302")
    cose[place] = ord("4")
    with pytest.raises(VerifyError):
        credential.verify_offline(bytes(cose), public_key=public_key)
