import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kit.crypto import keys
from kit.crypto.cipher import Cipher, key_id_of
from kit.crypto.keys import (
    KeyInUse,
    KeyRing,
    UnknownKey,
    add_key,
    check_retirable,
    create_key_ring,
    load_key_ring,
    retire_key,
)


def let_time_pass(directory: Path, seconds: float = keys.RETIRE_AFTER_SECONDS + 1) -> None:
    os.utime(directory / "current", (time.time() - seconds,) * 2)


def test_creating_twice_keeps_the_keys(tmp_path: Path):
    first, second = create_key_ring(tmp_path / "keys"), create_key_ring(tmp_path / "keys")
    assert first.sub_key("k1", "aead") == second.sub_key("k1", "aead")
    assert first.sub_key("blind", "blind") == second.sub_key("blind", "blind")


def test_two_processes_creating_at_once_agree(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: create_key_ring(tmp_path), range(8)))
    assert len({r.sub_key("k1", "aead") + r.sub_key("blind", "blind") for r in rings}) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["blind.key", "current", "k1.key"]


def test_files_are_the_owners_alone(tmp_path: Path):
    create_key_ring(tmp_path / "keys")
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "keys").iterdir()} == {0o600}
    (tmp_path / "keys" / "k1.key").chmod(0o640)
    with pytest.raises(PermissionError, match="0600"):
        load_key_ring(tmp_path / "keys")


def test_rotation_keeps_the_old_key_and_the_blind_one(tmp_path: Path):
    before = create_key_ring(tmp_path)
    assert add_key(tmp_path) == "k2"
    after = load_key_ring(tmp_path)
    assert after.current == "k2"
    assert after.key_ids == {"k1", "k2"}
    assert after.sub_key("k1", "aead") == before.sub_key("k1", "aead")
    assert after.sub_key("blind", "blind") == before.sub_key("blind", "blind")


def test_a_running_ring_finds_a_key_added_since(tmp_path: Path):
    running = create_key_ring(tmp_path)
    add_key(tmp_path)
    assert running.sub_key("k2", "aead") == load_key_ring(tmp_path).sub_key("k2", "aead")
    with pytest.raises(UnknownKey):
        running.sub_key("../k1", "aead")


def test_a_running_ring_follows_the_current_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    at = ("t.c_sealed", "1")
    patient = Cipher(create_key_ring(tmp_path))
    monkeypatch.setattr(keys, "NOTICE_SECONDS", 0.0)
    running = Cipher(load_key_ring(tmp_path))
    add_key(tmp_path)
    assert key_id_of(patient.seal("x", at)) == "k1"  # its five seconds are not over
    token = running.seal("x", at)
    assert key_id_of(token) == key_id_of(running.seal_bytes(b"x", at)) == "k2"
    assert patient.open(token, at) == "x"


@pytest.mark.parametrize("named", ["k9", "blind", "../k1", ""])
def test_a_ring_that_cannot_tell_the_current_key_refuses_to_seal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
):
    monkeypatch.setattr(keys, "NOTICE_SECONDS", 0.0)
    running = create_key_ring(tmp_path)
    (tmp_path / "current").write_text(named)
    with pytest.raises(UnknownKey):
        _ = running.current
    (tmp_path / "current").unlink()
    with pytest.raises(FileNotFoundError):
        _ = running.current


def test_a_former_key_is_set_aside_after_its_hour(tmp_path: Path):
    create_key_ring(tmp_path)
    add_key(tmp_path)
    with pytest.raises(KeyInUse, match="60 minutes"):
        retire_key(tmp_path, "k1")
    let_time_pass(tmp_path)
    aside = retire_key(tmp_path, "k1")
    assert aside == tmp_path / "retired" / "k1.key"
    assert (aside.parent.stat().st_mode & 0o777, aside.stat().st_mode & 0o777) == (0o700, 0o600)
    ring = load_key_ring(tmp_path)
    assert (ring.key_ids, ring.current) == ({"k2"}, "k2")
    with pytest.raises(UnknownKey):
        ring.sub_key("k1", "aead")
    aside.rename(tmp_path / "k1.key")
    assert len(ring.sub_key("k1", "aead")) == 32


@pytest.mark.parametrize(
    ("key_id", "error"),
    [("k2", KeyInUse), ("blind", KeyInUse), ("k7", UnknownKey), ("../k1", UnknownKey), ("current", UnknownKey)],
)
def test_what_may_not_be_retired(tmp_path: Path, key_id: str, error: type[Exception]):
    create_key_ring(tmp_path)
    add_key(tmp_path)
    let_time_pass(tmp_path)
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(error):
        retire_key(tmp_path, key_id)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_clock_set_back_lets_no_key_go(tmp_path: Path):
    create_key_ring(tmp_path)
    add_key(tmp_path)
    let_time_pass(tmp_path, seconds=-7200)
    with pytest.raises(KeyInUse):
        check_retirable(tmp_path, "k1")


def test_the_id_of_a_retired_key_is_not_given_again(tmp_path: Path):
    create_key_ring(tmp_path)
    add_key(tmp_path)
    (tmp_path / "current").write_text("k1\n")
    let_time_pass(tmp_path)
    retire_key(tmp_path, "k2")
    assert add_key(tmp_path) == "k3"


def test_every_label_has_a_sub_key_of_its_own():
    ring = KeyRing({"k1": b"1" * 32, "blind": b"2" * 32}, "k1")
    derived = [ring.sub_key("k1", label) for label in ("aead", "file")]
    derived += [ring.sub_key("blind", label) for label in ("blind", "body-digest")]
    assert len(set(derived)) == 4


def test_a_missing_blind_key_is_never_made_anew(tmp_path: Path):
    create_key_ring(tmp_path)
    (tmp_path / "blind.key").unlink()
    with pytest.raises(UnknownKey, match="blind"):
        create_key_ring(tmp_path)


@pytest.mark.parametrize("text", ["", "c2hvcnQ=", "not base64 at all, and a secret"])
def test_a_damaged_key_is_named_but_not_shown(tmp_path: Path, text: str):
    create_key_ring(tmp_path)
    (tmp_path / "k1.key").write_text(text)
    with pytest.raises(ValueError, match=r"k1\.key does not hold 32 bytes as base64$") as caught:
        load_key_ring(tmp_path)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("keys", "current", "error"),
    [
        ({"k1": b"short"}, "k1", ValueError),
        ({"K 1": b"1" * 32}, "K 1", ValueError),
        ({"k1": b"1" * 32}, "k2", UnknownKey),
        ({"blind": b"1" * 32}, "blind", UnknownKey),
    ],
)
def test_a_wrong_ring_is_refused(keys: dict[str, bytes], current: str, error: type[Exception]):
    with pytest.raises(error):
        KeyRing(keys, current)
