import base64
import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest

from sandbox.demo import cast
from sandbox.demo.needles import of_address, of_people
from sandbox.demo.sweep import sweep
from sandbox.people import FICTIONAL

P1 = FICTIONAL[0]
NEEDLES = [*of_people(FICTIONAL), *of_address(cast.RECEIVER["address"])]


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("letter.txt", content)
    return out.getvalue()


FORMS = {
    "utf-8": f"name={P1.name};".encode(),
    "utf-16-le": f"姓名：{P1.name}，户主".encode("utf-16-le"),
    "utf-16-be in a PDF": "姓名：".encode("utf-16-be") + P1.name.encode("utf-16-be"),
    "gb18030": f"姓名：{P1.name}（户主）".encode("gb18030"),
    "hex": b"\x00" + P1.name.encode().hex().encode() + b"\x00",
    "HEX": P1.name.encode().hex().upper().encode(),
    "base64 at 0": base64.b64encode(f"{P1.name} and more".encode()),
    "base64 at 1": base64.b64encode(f"1{P1.name} and more".encode()),
    "base64 at 2": base64.b64encode(f"12{P1.name} and more".encode()),
    "base64url of utf-16": base64.urlsafe_b64encode(f"x{P1.id_number}".encode("utf-16-le")),
    "base32": base64.b32encode(f"abc{P1.name}!".encode()),
    "url": quote(f"/people/{P1.name}").encode(),
    "url in gb18030": quote(P1.name, encoding="gb18030").lower().encode(),
    "json": json.dumps({"name": P1.name}).encode(),
    "html": b"&#24352;&#26126;",
    "id number": P1.id_number.encode(),
    "id number in lower case": P1.id_number.lower().encode(),
    "phone": f"+86{P1.phone}".encode(),
    "openid": P1.openid.encode(),
    "Alipay's user id": f"buyer_id={P1.alipay_user_id}&".encode(),
    "Alipay's open id": P1.alipay_open_id.encode(),
    "address": f"address={cast.RECEIVER['address']}".encode(),
    "address without its beginning": json.dumps({"rest": cast.RECEIVER["address"][4:]}).encode(),
    "zlib": b"stream\n" + zlib.compress(f"(我是{P1.name})Tj".encode() * 3) + b"endstream",
    "gzip": gzip.compress(P1.id_number.encode() * 3),
    "zip": zipped(P1.phone.encode() * 3),
    "zlib within gzip": gzip.compress(b"%PDF" + zlib.compress(P1.openid.encode() * 3, 9)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_amid_random_bytes(tmp_path: Path, form: str):
    (tmp_path / "file").write_bytes(b"before\n" + FORMS[form] + b")\nendobj\n" + os.urandom(1000))
    assert sweep(tmp_path, needles=NEEDLES)


def test_ciphertext_and_other_peoples_data_are_left_in_peace(tmp_path: Path):
    (tmp_path / "sealed").write_bytes(os.urandom(1_000_000))
    (tmp_path / "log").write_text('{"event":"accepted","name":"张*","phone":"138****5678"}', encoding="utf-8")
    assert sweep(tmp_path, needles=NEEDLES) == []


def test_four_bytes_amid_ciphertext_are_chance(tmp_path: Path):
    noise = b"\x9f\x01\xff\x80"
    (tmp_path / "sealed").write_bytes(noise + P1.name.encode("gb18030") + noise)
    assert sweep(tmp_path, needles=NEEDLES) == []


def test_a_hit_across_two_chunks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sandbox.demo.sweep._CHUNK", 8192)
    (tmp_path / "database").write_bytes(bytes(8187) + P1.id_number.encode() + bytes(9000))
    (finding,) = sweep(tmp_path, needles=NEEDLES)
    assert finding.offset == 8187


def test_a_name_in_a_files_name_is_found(tmp_path: Path):
    (tmp_path / f"{P1.id_number}.jpg").touch()
    assert sweep(tmp_path, needles=NEEDLES)


def test_results_and_the_partners_books_are_meant_to_be_read(tmp_path: Path):
    for name in ("demo", "sandbox", "embedded"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "journey.json").write_text(P1.name, encoding="utf-8")
    assert {finding.path.parent.name for finding in sweep(tmp_path, needles=NEEDLES)} == {"embedded"}


def test_the_command_says_what_it_found_and_fails(tmp_path: Path):
    command = [sys.executable, "-m", "sandbox.demo.sweep", str(tmp_path)]
    clean = subprocess.run(command, capture_output=True, text=True, check=False)
    (tmp_path / "log").write_text(P1.phone, encoding="utf-8")
    soiled = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (clean.returncode, soiled.returncode) == (0, 1)
    assert "phone of P1" in soiled.stdout
    assert P1.phone not in soiled.stdout
