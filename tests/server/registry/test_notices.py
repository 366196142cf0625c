import pytest

from server.registry.errors import NoticeInvalid
from server.registry.notices import LONGEST, cleaned


def _code(text: str) -> str:
    with pytest.raises(NoticeInvalid) as caught:
        cleaned(text)
    (flaw,) = caught.value.errors
    assert flaw.field == "text"
    return flaw.code


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  请补充\n户口簿 ", "请补充 户口簿"),
        ("材料\u202e已收到\x00", "材料 已收到"),
        ("办件20260316-320114-000001已到复核环节", "办件20260316-320114-000001已到复核环节"),
        ("请于12月31日前到3号窗口，电话025-12345678", "请于12月31日前到3号窗口，电话025-12345678"),
        ("苏（2026）南京市不动产权第0000012号已缮证", "苏（2026）南京市不动产权第0000012号已缮证"),
        ("单元320114001002GB00012F00180302已落宗", "单元320114001002GB00012F00180302已落宗"),
        ("测" * LONGEST, "测" * LONGEST),
    ],
)
def test_what_may_be_said_becomes_one_clean_line(text: str, line: str) -> None:
    assert cleaned(text) == line


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "EMPTY"),
        (" \n\t\u200b", "EMPTY"),
        ("测" * (LONGEST + 1), "TOO_LONG"),
        ("身份证32010219850312999X有误", "PERSONAL_NUMBER"),
        ("身份证 320102 1985 0312 999x", "PERSONAL_NUMBER"),
        ("身份证３２０１０２１９８５０３１２９９９Ｘ", "PERSONAL_NUMBER"),
        ("身份证320102850312999", "PERSONAL_NUMBER"),
        ("请拨打13800000001", "PERSONAL_NUMBER"),
        ("请拨打138-0000-0001", "PERSONAL_NUMBER"),
        ("请拨打+8613800000001", "PERSONAL_NUMBER"),
        ("退到6222 0212 3456 7890 123", "PERSONAL_NUMBER"),
        ("退到6222021234567890", "PERSONAL_NUMBER"),
        ("请到 https://bdc.example.cn 补缴", "LINK"),
        ("请到ｂｄｃ-nj．ｔｏｐ补缴", "LINK"),
    ],
)
def test_what_must_not_be_said_is_named(text: str, code: str) -> None:
    assert _code(text) == code
