from typing import Any

import pytest

from sandbox.signing import face_cert_hash
from tests.sandbox.city import City

P1 = {"cert_type": "IDENTITY_CARD", "cert_name": "张明", "cert_no": "32010219850312999X"}
OPENID = "oSandboxPerson000000000000P1"
FACE = "/cityservice/face/identify"


async def open_check(city: City, cert: dict[str, str], out_seq_no: str = "seq-0001") -> dict[str, Any]:
    return await city.wechat(f"{FACE}/getverifyid", out_seq_no=out_seq_no, openid=OPENID, cert_info=cert)


async def query(city: City, verify_id: str, cert: dict[str, str], **changes: str) -> dict[str, Any]:
    asked = {
        "verify_id": verify_id,
        "out_seq_no": "seq-0001",
        "openid": OPENID,
        "cert_hash": face_cert_hash(**cert),
    }
    return await city.wechat(f"{FACE}/queryverifyinfo", **asked | changes)


async def look(city: City, verify_id: str, person: str = "P1", outcome: str = "pass") -> int:
    answer = await city.control("POST", "/wx/face", verify_id=verify_id, person=person, outcome=outcome)
    return int(answer["verify_ret"])


async def test_the_right_person_passes(city: City):
    opened = await open_check(city, P1)
    assert (opened["errcode"], opened["expires_in"]) == (0, 3600)
    assert (await query(city, opened["verify_id"], P1))["verify_ret"] == 90199
    await look(city, opened["verify_id"], outcome="cancel")
    assert (await query(city, opened["verify_id"], P1))["verify_ret"] == 90002
    await look(city, opened["verify_id"])
    assert await query(city, opened["verify_id"], P1) == {"errcode": 0, "errmsg": "ok", "verify_ret": 10000}


@pytest.mark.parametrize(
    ("cert", "person", "outcome", "verify_ret"),
    [
        (P1, "P2", "pass", 10002),
        (P1, "P1", "mismatch", 10002),
        (P1 | {"cert_name": "张铭"}, "P1", "pass", 10003),
        (P1 | {"cert_no": "320102198709219982"}, "P1", "pass", 10003),
        (P1 | {"cert_name": "周老", "cert_no": "32010419401001999X"}, "P7", "pass", 10002),
        (P1, "P1", "timeout", 90017),
    ],
)
async def test_who_does_not_pass(city: City, cert: dict[str, str], person: str, outcome: str, verify_ret: int):
    opened = await open_check(city, cert)
    await look(city, opened["verify_id"], person, outcome)
    answer = await query(city, opened["verify_id"], cert)
    assert (answer["errcode"], answer["verify_ret"]) == (0, verify_ret)


async def test_what_is_refused_at_opening(city: City):
    assert (await open_check(city, P1, "abc"))["errcode"] == 40097
    assert (await open_check(city, P1 | {"cert_type": "PASSPORT"}))["errcode"] == 40097
    asked = {"out_seq_no": "seq-0009", "openid": "oStranger", "cert_info": P1}
    assert (await city.wechat(f"{FACE}/getverifyid", **asked))["errcode"] == 40003
    assert (await open_check(city, P1))["errcode"] == 0
    assert (await open_check(city, P1))["errcode"] == 40097  # out_seq_no is used up


async def test_a_query_must_match_the_opening(city: City):
    verify_id = (await open_check(city, P1))["verify_id"]
    await look(city, verify_id)
    assert (await query(city, "made-up", P1))["errcode"] == 84001
    assert (await query(city, verify_id, P1, openid="oSandboxPerson000000000000P2"))["errcode"] == 40003
    assert (await query(city, verify_id, P1, out_seq_no="seq-0002"))["errcode"] == 40097
    assert (await query(city, verify_id, P1, cert_hash="0" * 64))["errcode"] == 40097
    await city.control("POST", "/clock", advance_seconds=3601)
    assert (await query(city, verify_id, P1))["errcode"] == 84001
