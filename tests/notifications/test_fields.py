from datetime import UTC, datetime

import pytest

from kit.clock import time_text
from notifications.fields import CHARACTERS, EMPTY, KIND, LINE_BREAK, TOO_LONG, fit, fitted, flaw, shortened, units
from sandbox.wechat.keywords import _fits

FAMILY = "👨\u200d👩\u200d👧"


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("thing1", "二手房（存量房）转移登记", "二手房（存量房）转移登记"),
        ("thing1", "国有建设用地使用权及房屋所有权转移登记（买卖）", "国有建设用地使用权及房屋所有权转移登记…"),
        ("thing5", "第一行\n第二行\u2028第三行", "第一行 第二行 第三行"),
        ("thing5", "  ", "无"),
        ("thing1", "测" * 18 + "𠮷𠮷", "测" * 18 + "…"),
        ("thing1", "x" * 18 + "e\u0301e\u0301", "x" * 18 + "…"),
        ("thing1", "x" * 16 + FAMILY, "x" * 16 + "…"),
        ("phrase3", "已受理", "已受理"),
        ("phrase3", "已受理，办理中", "已受理办理"),
        ("phrase3", "OK", "无"),
        ("character_string2", "320114-2026-000012", "320114-2026-000012"),
        ("character_string2", "宁登 2026 第 12 号", "202612"),
        ("character_string2", "办件", "-"),
        ("character_string2", "A" * 8 + "0" * 32, "0" * 32),
        ("number1", "12,345.5 平方米", "12345.5"),
        ("number1", "9" * 10 + "1" * 32, "1" * 32),
        ("number1", "-" + "9" * 10 + "1" * 32, "-" + "1" * 31),
        ("letter1", "ab 12 cd", "abcd"),
        ("symbol1", "a★☆★☆★☆", "★☆★☆★"),
        ("symbol1", "abc", "-"),
        ("amount1", "￥80.00元", "￥80.00元"),
        ("phone_number1", "电话 025-12345678", "025-12345678"),
        ("car_number1", "苏A·12345", "苏A12345"),
        ("name1", "欧阳娜娜欧阳娜娜欧阳娜娜", "欧阳娜娜欧阳娜娜欧阳"),
        ("name1", "John Smith", "John Smith"),
        ("enum1", "已办结", "已办结"),
        ("time4", "2026年11月21日 09:05", "2026年11月21日 09:05"),
        ("time4", "2026-11-21 09:05:00", "2026-11-21 09:05:00"),
        ("time4", "2026年11月21日", "2026年11月21日"),
        ("time4", "09:00~11:30", "09:00~11:30"),
        ("date1", "2026年11月21日 ~ 2026年11月23日", "2026年11月21日 ~ 2026年11月23日"),
    ],
)
def test_a_text_is_made_to_fit_its_field(field: str, text: str, value: str) -> None:
    assert fit(field, text) == value
    assert flaw(field, value) is None


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("time4", "明天"),
        ("time4", "2026-11-21T09:05:00+08:00"),
        ("time4", "25:00"),
        ("time4", "2026年13月1日"),
        ("date1", "09:05"),
        ("amount1", "一百元"),
        ("amount1", "12345678901"),
        ("letter1", "123"),
        ("number1", "无"),
        ("name1", "x"[:0]),
        ("enum1", " "),
        ("money1", "1"),
    ],
)
def test_what_no_shortening_can_mend_is_refused(field: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"^no "):
        fit(field, text)


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("thing1", "", EMPTY),
        ("thing1", "一\n二", LINE_BREAK),
        ("thing1", "测" * 21, TOO_LONG),
        ("thing1", "😀" * 11, TOO_LONG),
        ("phrase3", "已受理OK", CHARACTERS),
        ("phrase3", "已经受理完毕", TOO_LONG),
        ("character_string2", "编号1", CHARACTERS),
        ("number1", "1.2.3", CHARACTERS),
        ("number1", "٣", CHARACTERS),
        ("name1", "测" * 11, CHARACTERS),
        ("phone_number1", "1" * 18, TOO_LONG),
        ("car_number1", "苏A1234567", TOO_LONG),
        ("symbol1", "a", CHARACTERS),
        ("amount1", "80.00圆", CHARACTERS),
        ("time4", "9点", CHARACTERS),
        ("money1", "1", KIND),
    ],
)
def test_what_a_wallet_would_refuse_is_named(field: str, text: str, code: str) -> None:
    assert flaw(field, text) == code


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("thing1", "测" * 30),
        ("character_string2", "a b 编 c"),
        ("phrase3", "已受理，办理中，请等待"),
        ("time4", "2026年1月1日 08:00"),
    ],
)
def test_what_fits_with_us_fits_with_wechat(field: str, text: str) -> None:
    assert _fits(field, {"value": fit(field, text)})


def test_every_field_is_fitted() -> None:
    assert fitted({"thing1": "x" * 21, "phrase3": "已提交"}) == {"thing1": "x" * 19 + "…", "phrase3": "已提交"}


def test_a_time_is_taken_as_people_read_it() -> None:
    assert fit("time4", time_text(datetime(2026, 1, 1, tzinfo=UTC))) == "2026年1月1日 08:00"


def test_an_ellipsis_stands_for_what_was_left_out() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"


@pytest.mark.parametrize("longest", range(1, 14))
def test_nothing_is_cut_in_the_middle_of_what_is_read_as_one(longest: int) -> None:
    text = "e\u0301" + FAMILY + "🇨🇳" + "👍🏽" + "𠮷"
    whole = {"", "e\u0301", "e\u0301" + FAMILY, "e\u0301" + FAMILY + "🇨🇳", "e\u0301" + FAMILY + "🇨🇳👍🏽"}
    short = shortened(text, longest)
    assert units(short) <= longest
    assert short.removesuffix("…") in whole
