import datetime as dt
from typing import Any

import cbor2
import pytest

from server.certificates.claims import CertificateKind, CredentialClaims, pack, unpack
from tests.factories.certificates import LONGEST_NUMBER, claims

PROOF = CertificateKind.REGISTRATION_PROOF


@pytest.mark.parametrize(
    "said",
    [
        claims(),
        claims(number="苏(2024)南京市不动产权第0000001号"),
        claims(number=LONGEST_NUMBER),
        claims(number="苏（2024）南京市不动产证明第0000001号", kind=PROOF),
        claims(issued_on=dt.date(1999, 12, 31)),
        claims(issued_on=dt.date(2100, 1, 1)),
    ],
)
def test_what_is_packed_comes_back_unchanged(said: CredentialClaims):
    assert unpack(pack(said)) == said


def test_the_number_loses_what_the_kind_already_says():
    packed = cbor2.loads(pack(claims(number="苏（2026）南京市不动产权第0000012号")))
    assert packed[-65537] == [1, "苏（2026南京市0000012", "320114001002GB00012F00180302"]


def test_the_day_is_a_shanghai_midnight():
    packed = cbor2.loads(pack(claims(issued_on=dt.date(2026, 11, 21))))
    assert dt.datetime.fromtimestamp(packed[6], dt.UTC) == dt.datetime(2026, 11, 20, 16, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "南京市不动产权第0000001号"},
        {"number": "苏（2024)南京市不动产权第0000001号"},
        {"number": "苏(2024)南京市不动产证明第0000001号"},
        {"number": "苏(2024)南京市不动产权第号"},
        {"number": "苏(2024)南京市不动产权第0000001号 "},
        {"kind": PROOF},
        {"certificate_id": "00"},
        {"certificate_id": "不是十六进制"},
    ],
)
def test_claims_that_cannot_be_packed_are_refused(changes: dict[str, Any]):
    with pytest.raises(ValueError, match=r"."):
        pack(claims(**changes))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        cbor2.dumps("text"),
        cbor2.dumps({1: "320114"}),
        cbor2.dumps({1: "3", 6: 0, 7: b"x", -65537: [9, "苏（2026南京市1", "u"]}),
        cbor2.dumps({1: "3", 6: 0, 7: b"x", -65537: [1, "南京市1", "u"]}),
        cbor2.dumps({1: "3", 6: 10**30, 7: b"x", -65537: [1, "苏（2026南京市1", "u"]}),
    ],
)
def test_a_payload_of_another_shape_is_refused(payload: bytes):
    with pytest.raises(ValueError, match=r"."):
        unpack(payload)
