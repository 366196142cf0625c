import asyncio
import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import SigningError

from kit.errors import OutsideError, Permanent
from server.adapters.seal import FileSeal, SealFiles, SealKeyError, key_signer, load_key
from server.adapters.seal_absent import AbsentSeal, SealAbsentError
from server.adapters.seal_keys import DemoSeal, create_demo_seal
from server.adapters.timestamps import HttpTimeStamper
from server.certificates.credential import public_keys, verify
from server.certificates.rendering import render
from server.certificates.signing import verify_pdf
from tests.factories.certificates import REGISTRY_NAME, claims, face, qr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    return create_demo_seal(tmp_path_factory.mktemp("keys") / "seal", REGISTRY_NAME)


@pytest.fixture(scope="module")
def unsigned():
    return render(face(), qr_png=qr())


def _files(demo: DemoSeal, **changes: Path) -> SealFiles:
    return SealFiles(
        **{
            "signing_key": demo.signing_key,
            "signing_chain": demo.signing_chain,
            "credential_key": demo.credential_key,
        }
        | changes
    )


async def test_the_file_carries_one_pades_signature_with_its_timestamp_inside(demo: DemoSeal, unsigned: bytes):
    signed = await demo.open().sign_pdf(unsigned)
    (signature,) = PdfFileReader(io.BytesIO(signed)).embedded_signatures
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    kinds = [attribute["type"].native for attribute in signature.signer_info["unsigned_attrs"]]
    assert kinds == ["signature_time_stamp_token"]
    assert signed.startswith(unsigned)


async def test_without_an_authority_the_seal_is_valid_without_a_timestamp(demo: DemoSeal, unsigned: bytes):
    signed = await FileSeal(_files(demo)).sign_pdf(unsigned)
    check = await asyncio.to_thread(verify_pdf, signed, roots=demo.root.read_bytes())
    assert check.sound
    assert check.stamped_at is None


async def test_it_signs_credentials_under_its_own_key(demo: DemoSeal):
    seal = demo.open()
    keys = public_keys([demo.credential_public.read_bytes()])
    assert list(keys) == [seal.key_id]
    assert verify(await seal.sign_credential(claims()), keys=keys) == claims()


async def test_an_authority_out_of_reach_can_be_tried_again(demo: DemoSeal, unsigned: bytes):
    seal = FileSeal(_files(demo), timestamper=HttpTimeStamper("http://127.0.0.1:9/", seconds=1))
    with pytest.raises(OutsideError) as caught:
        await seal.sign_pdf(unsigned)
    assert not caught.value.permanent


async def test_a_file_that_is_no_pdf_cannot_ever_be_sealed(demo: DemoSeal):
    with pytest.raises(OutsideError) as caught:
        await demo.open().sign_pdf(b"not a PDF")
    assert caught.value.permanent


async def test_a_process_without_a_seal_says_so():
    for refused in (AbsentSeal().sign_pdf(b""), AbsentSeal().sign_credential(claims())):
        with pytest.raises(SealAbsentError, match="registry role") as caught:
            await refused
        assert isinstance(caught.value, Permanent)


def test_a_key_that_is_not_the_certificates_is_refused(demo: DemoSeal):
    with pytest.raises(SealKeyError, match="not the one"):
        FileSeal(_files(demo, signing_key=demo.credential_key))


def test_unfit_key_files_are_refused_by_name(demo: DemoSeal, tmp_path: Path):
    p384 = tmp_path / "p384.pem"
    p384.write_bytes(
        ec.generate_private_key(ec.SECP384R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    p384.chmod(0o600)
    for path in (p384, demo.root, tmp_path / "absent.pem"):
        with pytest.raises(SealKeyError, match=path.name):
            load_key(path)


async def test_the_key_signs_sha256_only(demo: DemoSeal):
    with pytest.raises(SigningError):
        await key_signer(demo.signing_key, demo.signing_chain).async_sign_raw(b"", "sha1")
