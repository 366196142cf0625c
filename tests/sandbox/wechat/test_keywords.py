import pytest

from sandbox.wechat.keywords import first_bad_field

GOOD = {
    "thing1": "二手房转移登记",
    "character_string2": "20261121-320114-000001",
    "phrase3": "已受理",
    "time4": "10:30",
    "thing5": "请" * 20,
}


def wrapped(values: dict[str, str]) -> dict[str, dict[str, str]]:
    return {field: {"value": value} for field, value in values.items()}


@pytest.mark.parametrize("time", ["10:30", "2026年1月2日", "2026年11月21日 10:30", "2026-11-21 10:30", "9:00~11:30"])
def test_what_fits(time: str):
    assert first_bad_field(wrapped(GOOD | {"time4": time})) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("thing1", "字" * 21),
        ("thing5", "两\n行"),
        ("thing5", "  "),
        ("character_string2", "编号1"),
        ("character_string2", "1" * 33),
        ("phrase3", "六个字太长了"),
        ("phrase3", "OK"),
        ("time4", "明天"),
        ("time4", "2026年13月1日"),
    ],
)
def test_what_does_not(field: str, value: str):
    assert first_bad_field(wrapped(GOOD | {field: value})) == f"data.{field}.value"


def test_missing_and_unknown_fields():
    assert first_bad_field(None) == "data"
    assert first_bad_field(wrapped(GOOD | {"thing9": "x"})) == "data.thing9"
    del (missing := dict(GOOD))["phrase3"]
    assert first_bad_field(wrapped(missing)) == "data.phrase3.value"
    assert first_bad_field(wrapped(GOOD) | {"thing1": "bare"}) == "data.thing1.value"
