import pytest

from server.terms.errors import TermError
from server.terms.open_words import holds_a_number, one_line, public_reason, without_link


@pytest.mark.parametrize(
    "text",
    [
        "12345",
        "2026年11月21日 09:05",
        "2026-11-21 09:00-17:30",
        "2026/11/21 - 2026/12/5",
        "2026.11.21-2026.11.25",
        "共3份、12页",
        "10:00-12:00",
        "第1234567890号",
        "025-12345678",
        "二〇二六年十一月二十一日上午九时",
        "办件20260316-320114-000001",
        "一楼二号窗口，三日内",
    ],
)
def test_ordinary_figures_are_nobodys_number(text: str) -> None:
    assert not holds_a_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "请拨打13800000001",
        "电话13800000001 8点以后",
        "13800000001，2楼",
        "138--0000--0001",
        "138 - 0000 - 0001",
        "138/0000/0001",
        "138,0000,0001",
        "138，0000，0001",
        "(138)0000(0001)",
        "138_0000_0001",
        "138\u200d0000\u200d0001",
        "138\u00ad0000\u20600001",
        "138\u20110000\u20140001",
        "1\ufe0f\u20e33\ufe0f\u20e38\ufe0f\u20e300000001",
        "١٣٨٠٠٠٠٠٠٠١",
        "𝟏𝟑𝟖𝟎𝟎𝟎𝟎𝟎𝟎𝟎𝟏",
        "①③⑧⓪⓪⓪⓪⓪⓪⓪①",
        "一三八〇〇〇〇〇〇〇一",
        "幺三八零零零零零零零幺",
        "壹叁捌零零零零零零零壹",
        "320102 - 19850312 - 999X",
        "320102/19850312/9990",
        "6222.0212.3456.7890",
    ],
)
def test_a_number_is_found_in_every_spelling(text: str) -> None:
    assert holds_a_number(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" 停电\r\n检修 ", "停电 检修"),
        ("停\u202e电\x00", "停 电"),
        ("\u200b\u2028", ""),
        ("全家\U0001f468\u200d\U0001f469", "全家\U0001f468\u200d\U0001f469"),
    ],
)
def test_what_is_not_seen_is_not_kept(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("text", "code"),
    [("。", "REASON_EMPTY"), ("停电，问13800000001", "PERSONAL_NUMBER"), ("停电，见bdc.example.cn", "LINK")],
)
def test_a_reason_for_everybody_says_something_and_leads_nowhere(text: str, code: str) -> None:
    with pytest.raises(TermError) as caught:
        public_reason(text)
    assert caught.value.code == code
    assert public_reason(" 停电\n检修") == "停电 检修"


def test_words_under_the_registrys_name_stay_as_they_are_or_are_refused() -> None:
    assert without_link("一、补充合同\n二、补充身份证") == "一、补充合同\n二、补充身份证"
    with pytest.raises(TermError, match="网址") as caught:
        without_link("补缴见 bdc.example.cn")
    assert caught.value.code == "LINK"
