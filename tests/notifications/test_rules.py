import pytest

from notifications import templates
from notifications.rules import data_length, fitted_for, segments, ways
from notifications.templates import Limits

LIMITS = Limits(alipay_value=8, alipay_data=100, sms_param=6)
BY_TEXT, NEVER = (templates.load()[code] for code in ("case_accepted", "application_submitted"))


@pytest.mark.parametrize(
    ("used", "channels", "expected"),
    [
        (["wechat", "alipay"], ["alipay", "sms", "wechat"], ["wechat", "alipay", "sms"]),
        (["alipay", "wechat"], ["alipay", "sms", "wechat"], ["alipay", "wechat", "sms"]),
        (["alipay"], ["wechat", "sms"], ["sms"]),
        (["wechat"], ["wechat"], ["wechat"]),
        ([], ["wechat", "sms"], ["sms"]),
        ([], [], []),
    ],
)
def test_the_wallet_used_last_comes_first_and_a_text_message_last(
    used: list[str], channels: list[str], expected: list[str]
) -> None:
    assert ways(used, channels, template=BY_TEXT) == expected
    assert ways(used, channels, template=NEVER) == [way for way in expected if way != "sms"]


def test_each_channel_has_its_own_limits() -> None:
    given = {"keyword1": "一二三四五六七八九", "keyword2": "\n"}
    assert fitted_for("alipay", given, LIMITS) == {"keyword1": "一二三四五六七…", "keyword2": "无"}
    assert fitted_for("sms", {"1": "1234567", "2": ""}, LIMITS) == {"1": "12345…", "2": "无"}
    assert fitted_for("wechat", {"thing1": "一\n二"}, LIMITS) == {"thing1": "一 二"}
    with pytest.raises(ValueError, match="longer than Alipay"):
        fitted_for("alipay", {f"keyword{place}": "测" * 8 for place in range(1, 4)}, LIMITS)


def test_the_data_is_measured_as_it_travels() -> None:
    assert data_length({"keyword1": "测"}) == len('{"keyword1":{"value":"测"}}'.encode())


@pytest.mark.parametrize(("length", "count"), [(1, 1), (56, 1), (57, 2), (120, 2), (121, 3)])
def test_a_long_text_is_charged_as_several(length: int, count: int) -> None:
    assert segments("测" * length) == count
