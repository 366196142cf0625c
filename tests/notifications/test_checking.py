from dataclasses import replace

import pytest

from notifications import templates
from notifications.checking import flaws
from notifications.templates import Limits, Template

GOOD = templates.load()["fee_due"]


def _codes(made: Template, limits: Limits | None = None) -> dict[str, str]:
    found = flaws(made, GOOD.variables, limits or Limits())
    assert all(flaw.message for flaw in found)
    return {flaw.field: flaw.code for flaw in found}


def test_what_is_shipped_is_right() -> None:
    assert _codes(GOOD) == {}


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"title": " "}, "title", "EMPTY"),
        ({"body": "一\n二"}, "body", "LINE_BREAK"),
        ({"title": "测" * 65}, "title", "TOO_LONG"),
        ({"name": "测" * 33}, "name", "TOO_LONG"),
        ({"page": "/pages/detail"}, "page", "CHARACTERS"),
        ({"page": "pages/详情"}, "page", "CHARACTERS"),
        ({"page": "pages/" + "x" * 130}, "page", "TOO_LONG"),
        ({"body": "{business.__class__}"}, "body", "PLACEHOLDER_WRONG"),
        ({"body": "{business"}, "body", "PLACEHOLDER_WRONG"),
        ({"body": "{password}"}, "body", "VARIABLE_UNKNOWN"),
        ({"wechat": {}}, "wechat", "MISSING"),
        ({"wechat": {"thing1": "应缴登记费用共计{amount}元请尽快"}}, "wechat.thing1", "TOO_LONG"),
        ({"wechat": {"phrase3": "{business}"}}, "wechat.phrase3", "TOO_LONG"),
        ({"wechat": {"phrase3": "待缴费!"}}, "wechat.phrase3", "CHARACTERS"),
        ({"wechat": {"character_string2": "编号{number}"}}, "wechat.character_string2", "TOO_LONG"),
        ({"wechat": {"character_string2": "编号{amount}"}}, "wechat.character_string2", "CHARACTERS"),
        ({"wechat": {"number1": "{number}"}}, "wechat.number1", "CHARACTERS"),
        ({"wechat": {"time4": "于{time}"}}, "wechat.time4", "CHARACTERS"),
        ({"wechat": {"time4": "{business}"}}, "wechat.time4", "CHARACTERS"),
        ({"wechat": {"money9": "{amount}"}}, "wechat.money9", "KIND_UNKNOWN"),
        ({"wechat": {"thing1": ""}}, "wechat.thing1", "EMPTY"),
        ({"alipay": {"keyword1": "测" * 33}}, "alipay.keyword1", "TOO_LONG"),
        ({"alipay": {"keyword2": "测"}}, "alipay", "KEYWORDS_WRONG"),
        ({"alipay": {"first": "测"}}, "alipay", "KEYWORDS_WRONG"),
        ({"alipay": {}}, "alipay", "MISSING"),
        ({"body": "请到bdc-nj.top缴纳{amount}元"}, "body", "LINK"),
        ({"alipay": {"keyword1": "www.example.cn"}}, "alipay.keyword1", "LINK"),
        ({"page": "pages/web?to=evil.example"}, "page", "LINK"),
        ({"sms_text": "请点https://example.cn/{number}"}, "sms_text", "LINK"),
        ({"sms_text": ""}, "sms_text", "EMPTY"),
        ({"sms_text": "【一窗】请缴费"}, "sms_text", "BRACKETS"),
        ({"sms_text": "请打开{application_id}"}, "sms_text", "VARIABLE_NOT_BY_TEXT"),
        ({"sms_text": "测" * 501}, "sms_text", "TOO_LONG"),
    ],
)
def test_each_fault_is_named_at_its_field(change: dict[str, object], field: str, code: str) -> None:
    assert _codes(replace(GOOD, **change)) == {field: code}  # type: ignore[arg-type]


def test_all_faults_are_told_at_once() -> None:
    made = replace(GOOD, wechat={"phrase3": "OK", "time4": "不久"}, alipay={"keyword1": "长" * 40}, sms_text="【】")
    assert _codes(made).keys() == {"wechat.phrase3", "wechat.time4", "alipay.keyword1", "sms_text"}


def test_the_length_of_alipays_values_and_data_is_a_citys_to_set() -> None:
    assert _codes(GOOD, Limits(alipay_value=10)).keys() >= {"alipay.keyword1", "alipay.keyword2"}
    assert _codes(GOOD, Limits(alipay_data=50)) == {"alipay": "TOO_LONG"}
    assert _codes(GOOD, Limits(sms_param=10)) == {"sms_text": "TOO_LONG"}
