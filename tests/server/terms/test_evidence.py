import json
from datetime import date

import pytest

from server.terms.evidence import (
    Evidence,
    EvidenceKind,
    EvidenceUnreadable,
    Household,
    MaritalStatus,
    Marriage,
    Member,
    Relation,
)
from tests.support.moments import NOON

MARRIAGE = Evidence(
    kind=EvidenceKind.MARRIAGE,
    source="civil_affairs_marriage",
    source_text="民政部门婚姻登记信息",
    purpose="核对共有关系",
    legal_basis="第二十四条",
    request_no="r1",
    answer_no="MZ1",
    asked_at=NOON,
    answered_at=NOON,
    subject_name="张明",
    subject_id_number_masked="320***********999X",
    content=Marriage(MaritalStatus.MARRIED, date(2012, 5, 20), "李静", "320***********9982"),
    answer_digest="a" * 64,
)
HOUSEHOLD = Household((Member("王强", Relation.SELF, minor=False), Member("王小宝", Relation.CHILD, minor=True)))


def test_there_and_back_in_one_spelling():
    raw = MARRIAGE.to_bytes()
    assert Evidence.from_bytes(raw) == MARRIAGE
    assert raw == json.dumps(json.loads(raw), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert (json.loads(raw)["format"], json.loads(raw)["version"]) == ("yichuang.evidence", 1)


def test_it_reads_in_chinese():
    assert MARRIAGE.title == "婚姻登记信息"
    lines = dict(MARRIAGE.lines())
    assert lines["被查询人"] == "张明（证件号码320***********999X）"
    assert (lines["婚姻状况"], lines["登记日期"]) == ("已婚", "2012年5月20日")
    assert lines["配偶"] == "李静（证件号码320***********9982）"
    assert (lines["使用目的"], lines["法律依据"]) == ("核对共有关系", "第二十四条")
    assert HOUSEHOLD.lines() == [("家庭成员", "王强（本人）"), ("家庭成员", "王小宝（子女，未成年人）")]
    assert Household.from_data(HOUSEHOLD.to_data()) == HOUSEHOLD
    assert Marriage(MaritalStatus.UNMARRIED).lines() == [("婚姻状况", "未婚")]


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"version": 2},
        {"kind": "fingerprints"},
        {"content": {"status": "happy"}},
        {"subject": None},
        {"answered_at": "soon"},
        {"content": {"members": "all"}},
    ],
)
def test_what_is_no_evidence_is_not_read_as_one(change: dict[str, object]):
    data = {**json.loads(MARRIAGE.to_bytes()), **change}
    with pytest.raises(EvidenceUnreadable) as refused:
        Evidence.from_bytes(json.dumps(data).encode())
    assert "张明" not in str(refused.value)


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"\xff\xd8", b"{}"])
def test_other_bytes_are_no_evidence(raw: bytes):
    with pytest.raises(EvidenceUnreadable):
        Evidence.from_bytes(raw)
