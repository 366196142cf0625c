"""The published vectors, against the sandbox's own signing."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox import signing

PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAw9sRmkmKehI9VhEFTeEL/E1DAMLeM2cXTYxaRZmEzkgqcPrQY11OZWTKCBg9qAbRCTjpEgUwsoopToqz
BLOFT/Sx1tLcy1JgQfRkHsE4ssYR5Md78V/JQAh9DgF8GwWY+sd78uFwP/S5ockgQ1gILb23txDqkoJD5RXgdFA60SQ+CAWgNsJ/YIagVsXvXpimm/Olc8xrIQEm
d2HrZpnlmxMEV6m7/er29yFhhrW1hz8SD0xqCsfxpw6k+kzcO2XZAO5D5xVxPx5cz5NdoISjGwqcnmj4BfpJEmGkUhHdt4+ipIAepcuHdLy4tobcuqeQ36544iUR
8IcuLxjZZUncpQIDAQAB
-----END PUBLIC KEY-----
"""
ANSWER_SIGNATURE = (
    "En5mM3n+AMZGHwGPoar8D5A13mZd5Rjnr18P/vIhSFkM8W5xqmW3aaFPSLQfL/N8a2CYLIHr3wR7XFKBBgB9iBTVP5qOisBDRHJteLAF0Z2l9WGYZeB8jPZ9"
    "3gJ1hof4c4IgJa7Z8PCgfF3CCGcGf+0oPWPGkcGBagcmIu7gexpN6NMWLVUJ1Fc8uVJNatkBO0xACK8EkndmiiHLYNdKlLnzM7viZPqzh6ot1gbUiNs9rKGz"
    "k1O5MCydg+KE81wlTd9q8cIIxkCSMhaKIhxQF5SJ+JOq6yRoWGq2eb3Dr3IvzM3qt16r2W9cIsoj/1Lqk9N0L1wJVqV1d6+Rx8GlLA=="
)
GCM_KEY = b"0123456789abcdef0123456789abcdef"
GCM_PLAIN = b'{"out_trade_no":"T20261121-1","trade_state":"SUCCESS","amount":{"total":100}}'
GCM_BODY = "DUcclrHBE5NffFMk6pzEyhUOz1nix96RDgIGIzZp7K6qaxMevdMteN6HKYiO79x4KcPU2Voq1lKmrdScMY/BVdNmE9NrmXsvZhN+"
GCM_SEALED = {
    "transaction": GCM_BODY + "ATGH+epNOIOuq1x54fZIItt4",
    "": GCM_BODY + "ATHU/BRQKlqm8Vy4wW09nPSE",
}


def test_face_cert_hash_of_the_published_example():
    found = signing.face_cert_hash(cert_type="IDENTITY_CARD", cert_name="张三", cert_no="310101199801011234")
    assert found == "3c241f7ff324977aeb91f173bb2a7b06569e6fd784d5573db34a636d8671108b"


@pytest.mark.parametrize("associated_data", GCM_SEALED)
def test_gcm_both_ways(associated_data: str):
    sealed = GCM_SEALED[associated_data]
    parts = {"nonce": "fdasflkja484", "associated_data": associated_data}
    assert signing.gcm_encrypt(GCM_KEY, plaintext=GCM_PLAIN, **parts) == sealed
    assert signing.gcm_decrypt(GCM_KEY, ciphertext=sealed, **parts) == GCM_PLAIN
    with pytest.raises(InvalidTag):
        signing.gcm_decrypt(GCM_KEY, ciphertext=sealed, nonce="fdasflkja485", associated_data=associated_data)


def test_answer_signature_of_the_published_example():
    key = load_pem_public_key(PUBLIC_KEY.encode())
    assert isinstance(key, RSAPublicKey)
    message = signing.pay_answer_message(
        timestamp="1554209980",
        nonce="c5ac7061fccab6bf3e254dcf98995b8c",
        body=b'{"prepay_id":"wx2922034726858082fbd40b511c67630000"}',
    )
    assert signing.rsa_verifies(key, message, ANSWER_SIGNATURE)
    assert not signing.rsa_verifies(key, message + b" ", ANSWER_SIGNATURE)
    assert not signing.rsa_verifies(key, message, "not base64!")


def test_an_empty_answer_is_signed_as_two_line_ends():
    message = signing.pay_answer_message(timestamp="1", nonce="95b8c", body=b"")
    assert message == b"1\n95b8c\n\n"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer x",
        'WECHATPAY2-SHA256-RSA2048 mchid="1"',
        'X mchid="",nonce_str="",signature="",timestamp="",serial_no=""',
    ],
)
def test_an_incomplete_authorization_is_none(header: str):
    assert signing.pay_authorization(header) is None
