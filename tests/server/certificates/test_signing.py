import asyncio
import datetime as dt
from pathlib import Path

import pytest

from kit.errors import OutsideError
from server.adapters.seal_keys import DemoSeal, create_demo_seal
from server.certificates.rendering import render
from server.certificates.signing import verify_pdf
from tests.factories.certificates import REGISTRY_NAME, face, qr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    return create_demo_seal(tmp_path_factory.mktemp("keys") / "seal", REGISTRY_NAME)


@pytest.fixture(scope="module")
def roots(demo: DemoSeal):
    return demo.root.read_bytes()


@pytest.fixture(scope="module")
def unsigned():
    return render(face(), qr_png=qr())


@pytest.fixture(scope="module")
def signed(demo: DemoSeal, unsigned: bytes):
    return asyncio.run(demo.open().sign_pdf(unsigned))


def test_a_sealed_file_is_sound_and_names_its_registry(signed: bytes, roots: bytes):
    check = verify_pdf(signed, roots=roots)
    assert check.sound
    assert check.signer == f"{REGISTRY_NAME}（演示）"
    assert check.stamped_at is not None
    assert abs(check.stamped_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


def test_bytes_appended_after_the_seal_show(signed: bytes, roots: bytes):
    for more in (b"\n", b"% more\n", b"\n%%EOF\n"):
        check = verify_pdf(signed + more, roots=roots)
        assert not check.covers_whole_file
        assert not check.sound


def test_a_second_seal_over_the_first_is_not_one_signature(demo: DemoSeal, signed: bytes):
    # The first seal allows no change at all, so pyHanko itself refuses to add to the file.
    with pytest.raises(OutsideError) as caught:
        asyncio.run(demo.open().sign_pdf(signed))
    assert caught.value.permanent


def test_a_changed_byte_of_the_page_shows(signed: bytes, unsigned: bytes, roots: bytes):
    for place in range(20, len(unsigned) - 20, len(unsigned) // 25):
        changed = bytearray(signed)
        changed[place] ^= 0x01
        assert not verify_pdf(bytes(changed), roots=roots).sound


def test_another_root_does_not_trust_it(signed: bytes, tmp_path: Path):
    stranger = create_demo_seal(tmp_path / "other", REGISTRY_NAME)
    check = verify_pdf(signed, roots=stranger.root.read_bytes())
    assert not check.valid
    assert check.stamped_at is None


def test_a_certificate_out_of_its_time_is_not_valid(signed: bytes, roots: bytes):
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=365 * 11)
    assert not verify_pdf(signed, roots=roots, moment=later).valid


@pytest.mark.parametrize("rubbish", [b"", b"%PDF-1.7\n", b"\x00" * 100])
def test_what_is_no_sealed_pdf_is_not_valid(rubbish: bytes, roots: bytes):
    assert not verify_pdf(rubbish, roots=roots).sound


def test_an_unsealed_file_is_not_valid(unsigned: bytes, roots: bytes):
    assert not verify_pdf(unsigned, roots=roots).sound


def test_a_cut_file_is_not_valid(signed: bytes, roots: bytes):
    for size in (100, len(signed) // 2, len(signed) - 200, len(signed) - 1):
        assert not verify_pdf(signed[:size], roots=roots).sound
