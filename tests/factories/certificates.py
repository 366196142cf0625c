"""A certificate's face and its credential's claims, each field changeable by keyword."""

import dataclasses
import datetime as dt
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from server.certificates.claims import CertificateKind, CredentialClaims
from server.certificates.credential import encode_base32, issue, key_id_of
from server.certificates.face import BuildingFacts, CertificateFace, Holder
from server.certificates.qr import qr_png

NUMBER = "苏（2026）南京市不动产权第0000012号"
# No county's name is longer; with full-width brackets this is the longest number in use.
LONGEST_NUMBER = "甘（2026）积石山保安族东乡族撒拉族自治县不动产权第0000001号"
REGISTRY_NAME = "南京市规划和自然资源局雨花台分局"

_FACE = CertificateFace(
    number=NUMBER,
    holders=(Holder("王强"), Holder("陈晓")),
    co_ownership_text="共同共有",
    location="南京市雨花台区软件大道18号云锦花园3幢302室",
    unit_code="320114001002GB00012F00180302",
    right_type_text="国有建设用地使用权/房屋所有权",
    right_nature_text="出让/市场化商品房",
    usage_text="城镇住宅用地/住宅",
    land_area=1234560,
    building_area=8950,
    term_text="国有建设用地使用权 2008年05月20日起2078年05月19日止",
    registry_name=REGISTRY_NAME,
    registered_on=dt.date(2026, 11, 21),
    land_area_shared=True,
    building=BuildingFacts(7320, 1630, "钢筋混凝土结构", 18, "3层", dt.date(2010, 6, 30)),
    remarks=("登记类型：转移登记（买卖）",),
    printed_serial="D32001234567",
)

_CLAIMS = CredentialClaims(
    registry="320114",
    certificate_id="0192f3a45b6c7d8e9f00112233445566",
    number=NUMBER,
    unit_code="320114001002GB00012F00180302",
    issued_on=dt.date(2026, 11, 21),
    kind=CertificateKind.TITLE_CERTIFICATE,
)


def face(**changes: Any) -> CertificateFace:
    return dataclasses.replace(_FACE, **changes)


def claims(**changes: Any) -> CredentialClaims:
    return dataclasses.replace(_CLAIMS, **changes)


@cache
def link() -> str:
    """The longest link there is: the longest number behind a loopback address with a port."""
    key = ec.generate_private_key(ec.SECP256R1())
    credential = issue(claims(number=LONGEST_NUMBER), key=key, key_id=key_id_of(key.public_key()))
    return "http://127.0.0.1:54321/v/" + encode_base32(credential)


@cache
def qr() -> bytes:
    return qr_png(link())
