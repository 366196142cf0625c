import base64
from collections.abc import Mapping

import cbor2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cwt import COSE, COSEKey
from hypothesis import given
from hypothesis import strategies as st

from server.certificates.claims import pack
from server.certificates.credential import (
    MAX_BYTES,
    BadCredential,
    Flaw,
    decode_base32,
    encode_base32,
    issue,
    key_id_of,
    public_keys,
    verify,
)
from tests.factories.certificates import LONGEST_NUMBER, claims

KEY = ec.generate_private_key(ec.SECP256R1())
KEY_ID = key_id_of(KEY.public_key())
KEYS = {KEY_ID: KEY.public_key()}
CREDENTIAL = issue(claims(), key=KEY, key_id=KEY_ID)


def _pem(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _flaw(credential: bytes, keys: Mapping[str, ec.EllipticCurvePublicKey] = KEYS) -> Flaw:
    with pytest.raises(BadCredential) as caught:
        verify(credential, keys=keys)
    return caught.value.flaw


def test_a_credential_says_what_was_signed():
    assert verify(CREDENTIAL, keys=KEYS) == claims()


def test_the_longest_number_in_use_fits():
    longest = claims(number=LONGEST_NUMBER)
    credential = issue(longest, key=KEY, key_id=KEY_ID)
    assert len(credential) <= MAX_BYTES
    assert verify(credential, keys=KEYS) == longest


def test_an_independent_library_reads_it():
    key = COSEKey.from_pem(_pem(KEY.public_key()), kid=KEY_ID.encode())
    assert COSE.new().decode(CREDENTIAL, keys=[key]) == pack(claims())


def test_no_byte_of_it_can_be_changed():
    for place in range(len(CREDENTIAL)):
        for flip in (0x01, 0x20, 0x80, 0xFF):
            changed = bytearray(CREDENTIAL)
            changed[place] ^= flip
            with pytest.raises(BadCredential):
                verify(bytes(changed), keys=KEYS)


def test_each_region_has_its_own_flaw():
    protected, payload, signature = _parts()
    assert _flaw(CREDENTIAL.replace(payload, pack(claims(unit_code="320114001002GB00012F00180303")))) == (
        Flaw.BAD_SIGNATURE
    )
    assert _flaw(CREDENTIAL.replace(signature, bytes(64))) == Flaw.BAD_SIGNATURE
    assert _flaw(CREDENTIAL.replace(protected, protected[:-1] + b"?")) == Flaw.UNKNOWN_KEY
    assert _flaw(b"\xd1" + CREDENTIAL[1:]) == Flaw.MALFORMED


def _parts() -> tuple[bytes, bytes, bytes]:
    value = cbor2.loads(CREDENTIAL).value
    return value[0], value[2], value[3]


def test_a_key_we_do_not_know_and_a_wrong_key_under_a_known_name():
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert _flaw(CREDENTIAL, {}) == Flaw.UNKNOWN_KEY
    assert _flaw(CREDENTIAL, {key_id_of(other): other}) == Flaw.UNKNOWN_KEY
    assert _flaw(CREDENTIAL, {KEY_ID: other}) == Flaw.BAD_SIGNATURE


def _message(
    protected: bytes | None = None,
    unprotected: dict[int, bytes] | None = None,
    signature: bytes | None = None,
    tag: int = 18,
) -> bytes:
    was_protected, payload, was_signature = _parts()
    value = [
        was_protected if protected is None else protected,
        {} if unprotected is None else unprotected,
        payload,
        was_signature if signature is None else signature,
    ]
    return cbor2.dumps(cbor2.CBORTag(tag, value))


def test_the_helper_rebuilds_the_credential_itself():
    assert _message() == CREDENTIAL


@pytest.mark.parametrize(
    "credential",
    [
        b"",
        b"\x00",
        b"\xff",
        CREDENTIAL[:-1],
        CREDENTIAL + b"\x00",
        CREDENTIAL[1:],
        _message(tag=17),
        _message(unprotected={4: b"other"}),
        _message(signature=bytes(63)),
        _message(protected=b""),
        _message(protected=cbor2.dumps({1: -8, 4: KEY_ID.encode()})),
        _message(protected=cbor2.dumps({1: -7})),
        _message(protected=cbor2.dumps({1: -7, 4: KEY_ID.encode(), 5: b"more"})),
        _message(protected=cbor2.dumps({1: -7, 4: b"\xff\xfe"})),
        cbor2.dumps(cbor2.CBORTag(18, [])),
        # The same array with its length written in two bytes: another text for the same message.
        CREDENTIAL[:1] + b"\x98\x04" + CREDENTIAL[2:],
        b"\x81" * 5000,
        # What a CBOR library stumbles over: decimals without end, sets of lists, patterns, dates, endless nesting.
        bytes.fromhex("c4821b7fffffffffffffff01"),
        bytes.fromhex("c5821b7fffffffffffffff01"),
        bytes.fromhex("84d823812300"),
        bytes.fromhex("d2ff01d284"),
        _message(protected=bytes.fromhex("c4821b7fffffffffffffff01")),
        _message(protected=bytes.fromhex("a2040101")),
        # The map's entries the other way round, and a length that a shorter form could tell.
        _message(protected=cbor2.dumps({4: KEY_ID.encode(), 1: -7})),
        _message(protected=b"\xa2\x01\x26\x04\x58\x08" + KEY_ID.encode()),
        _message(protected=b"\xa2\x01\x26\x04"),
        _message(protected=b"\xa2\x01\x26\x04\x58"),
    ],
)
def test_any_other_encoding_is_malformed(credential: bytes):
    assert _flaw(credential) == Flaw.MALFORMED


def test_signed_claims_of_another_kind_of_document_are_malformed():
    pem = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    kid = KEY_ID.encode()
    other = COSE.new(alg_auto_inclusion=False, kid_auto_inclusion=False).encode_and_sign(
        cbor2.dumps({1: "320114"}), COSEKey.from_pem(pem, kid=kid), protected={1: -7, 4: kid}
    )
    assert _flaw(other) == Flaw.MALFORMED


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_fail(noise: bytes):
    with pytest.raises(BadCredential):
        verify(noise, keys=KEYS)


@pytest.mark.parametrize("key_id", ["", "123456789"])
def test_a_key_id_has_one_to_eight_bytes(key_id: str):
    with pytest.raises(ValueError, match="key id"):
        issue(claims(), key=KEY, key_id=key_id)


def test_only_p256_signs_and_checks():
    with pytest.raises(ValueError, match="P-256"):
        issue(claims(), key=ec.generate_private_key(ec.SECP384R1()), key_id="k")
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        with pytest.raises(TypeError, match="P-256"):
            public_keys([_pem(key.public_key())])


def test_claims_too_long_for_the_code_are_not_issued():
    with pytest.raises(ValueError, match="at most 230"):
        issue(claims(number=LONGEST_NUMBER, registry="12320100MB9000015P"), key=KEY, key_id=KEY_ID)


def test_public_keys_are_named_by_their_fingerprint():
    loaded = public_keys([_pem(KEY.public_key())])
    assert list(loaded) == [KEY_ID]
    assert verify(CREDENTIAL, keys=loaded) == claims()


@given(st.binary(min_size=1, max_size=240))
def test_base32_is_the_standard_one_and_comes_back_in_either_case(data: bytes):
    code = encode_base32(data)
    assert code == base64.b32encode(data).decode().rstrip("=")
    assert decode_base32(code) == decode_base32(code.lower()) == data


@given(st.text(max_size=20))
def test_a_text_decodes_only_if_it_is_some_bytes_code(text: str):
    try:
        data = decode_base32(text)
    except BadCredential:
        return
    assert text.isascii()
    assert encode_base32(data) == text.upper()


@pytest.mark.parametrize("code", ["", "A", "AAA", "AAAAAA", "AB", "A1", "AA==", "ſA", "A A", "AA\n", "_AAA_AAA"])
def test_a_code_with_spare_bits_or_other_characters_is_malformed(code: str):
    with pytest.raises(BadCredential):
        decode_base32(code)
