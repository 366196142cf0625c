import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.crypto.cipher import Cipher, Unsealable, key_id_of
from kit.crypto.keys import KeyRing

KEYS = {"k1": bytes(range(32)), "k2": bytes(range(32, 64)), "blind": bytes(range(64, 96))}
AT = ("identity_person.name", "019aa0b1c2d37fff8000000000000000")
OLD = Cipher(KeyRing(KEYS, "k1"))
NEW = Cipher(KeyRing(KEYS, "k2"))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_there_and_back(text: str):
    assert OLD.open(OLD.seal(text, AT), AT) == text


@given(st.binary())
def test_bytes_there_and_back(data: bytes):
    assert OLD.open_bytes(OLD.seal_bytes(data, AT), AT) == data


def test_json_there_and_back():
    value = {"姓名": "张三", "n": [1, None, True]}
    assert OLD.open_json(OLD.seal_json(value, AT), AT) == value


def test_one_text_never_gives_one_token():
    assert OLD.seal("张三", AT) != OLD.seal("张三", AT)


def test_tokens_are_url_safe_and_name_their_key():
    token = OLD.seal("张三", AT)
    assert token.startswith("k1.")
    assert not set(token) & set("+/=")
    assert key_id_of(token) == "k1"
    assert key_id_of(NEW.seal_bytes(b"x", AT)) == "k2" == NEW.current_key_id


def test_another_place_does_not_open():
    token, raw = OLD.seal("张三", AT), OLD.seal_bytes(b"x", AT)
    for at in ((AT[0], "other"), ("identity_person.phone", AT[1])):
        with pytest.raises(Unsealable):
            OLD.open(token, at)
        with pytest.raises(Unsealable):
            OLD.open_bytes(raw, at)


def test_any_changed_byte_is_noticed():
    raw = OLD.seal_bytes(b"secret", AT)
    for place in range(3, len(raw)):
        with pytest.raises(Unsealable):
            OLD.open_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :], AT)


@pytest.mark.parametrize("token", ["", "k1", "k1.", "k1.AAAA", "k1.!!!!", "k1.é", "k9.AAAA", "blind." + "A" * 64, ".A"])
def test_rubbish_does_not_open(token: str):
    with pytest.raises(Unsealable):
        OLD.open(token, AT)
    with pytest.raises(Unsealable):
        OLD.open_bytes(token.encode(), AT)


def test_a_token_without_a_key_id_names_none():
    with pytest.raises(Unsealable):
        key_id_of("AAAA")


def test_rotation_opens_the_old_and_keeps_the_index():
    assert NEW.open(OLD.seal("张三", AT), AT) == "张三"
    assert OLD.open(NEW.seal("张三", AT), AT) == "张三"
    assert OLD.blind("张三", purpose="name") == NEW.blind("张三", purpose="name")
    assert OLD.digest_keyed(b"body", purpose="p") == NEW.digest_keyed(b"body", purpose="p")


def test_indexes_of_purposes_and_keys_are_unlike():
    other = Cipher(KeyRing({**KEYS, "blind": bytes(32)}, "k1"))
    made = {
        OLD.blind("bc", purpose="a"),
        OLD.blind("c", purpose="ab"),
        OLD.digest_keyed(b"bc", purpose="a"),
        other.blind("bc", purpose="a"),
    }
    assert len(made) == 4
    assert {len(m) for m in made} == {64}
