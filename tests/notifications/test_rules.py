from datetime import UTC, datetime

import pytest

from kit.clock import time_text
from notifications.rules import fit, fitted, shortened


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("thing1", "二手房（存量房）转移登记", "二手房（存量房）转移登记"),
        ("thing1", "国有建设用地使用权及房屋所有权转移登记（买卖）", "国有建设用地使用权及房屋所有权转移登记…"),
        ("thing5", "第一行\n第二行", "第一行 第二行"),
        ("thing5", "  ", "无"),
        ("phrase3", "已受理", "已受理"),
        ("phrase3", "已受理，办理中", "已受理办理"),
        ("phrase3", "OK", "无"),
        ("character_string2", "320114-2026-000012", "320114-2026-000012"),
        ("character_string2", "宁登 2026 第 12 号", "202612"),
        ("character_string2", "办件", "-"),
        ("character_string2", "A" * 8 + "0" * 32, "0" * 32),
        ("time4", "2026年11月21日 09:05", "2026年11月21日 09:05"),
        ("time4", "2026-11-21 09:05:00", "2026-11-21 09:05:00"),
        ("time4", "2026年11月21日", "2026年11月21日"),
    ],
)
def test_a_text_is_made_to_fit_its_field(field: str, text: str, value: str) -> None:
    assert fit(field, text) == value


@pytest.mark.parametrize(
    ("field", "text"), [("time4", "明天"), ("time4", "2026-11-21T09:05:00+08:00"), ("money1", "1")]
)
def test_what_no_shortening_can_mend_is_refused(field: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"time|kind"):
        fit(field, text)


def test_every_field_is_fitted() -> None:
    assert fitted({"thing1": "x" * 21, "phrase3": "已提交"}) == {"thing1": "x" * 19 + "…", "phrase3": "已提交"}


def test_a_time_is_taken_as_people_read_it() -> None:
    assert fit("time4", time_text(datetime(2026, 1, 1, tzinfo=UTC))) == "2026年1月1日 08:00"


def test_an_ellipsis_stands_for_what_was_left_out() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"
