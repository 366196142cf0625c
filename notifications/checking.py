"""What would be refused of a template: by a wallet, by the text message provider, or by us; pure."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from kit.errors import FieldError
from kit.links import holds_a_link
from notifications import fields
from notifications.rules import ALIPAY, WECHAT, data_length
from notifications.templates import WALLETS, Limits, SmsUse, Template, Variable, VariableKind, placeholders

_LONGEST = {"name": 32, "title": 64, "body": 1000, "page": 128}
_PAGE = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\?[A-Za-z0-9_=&.-]*)?")
_KEYWORD = re.compile(r"keyword([1-9][0-9]?)")
_WHOLE_SECONDS = "2026年12月31日 23:59"
# They turn what is read around, or hide something in it; and no wallet says what it makes of them.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# A text message lies open on a locked screen and on other people's phones.
_NOT_BY_TEXT = frozenset({VariableKind.NAME, VariableKind.PHONE, VariableKind.FREE, VariableKind.ID})
_SAYS = {
    fields.EMPTY: "不能为空",
    fields.LINE_BREAK: "不能换行",
    fields.TOO_LONG: "太长，请缩短固定文字",
    fields.CHARACTERS: "含有这类字段不允许的字符",
    fields.KIND: "没有这类字段",
    "PLACEHOLDER_WRONG": "花括号里只能写变量名",
    "VARIABLE_UNKNOWN": "用了这种消息没有的变量",
    "VARIABLE_NOT_BY_TEXT": "短信中不能出现姓名、电话、编号链接和工作人员填写的文字",
    "KEYWORDS_WRONG": "字段应为 keyword1、keyword2……依次编号",
    "LINK": "不能包含网址、邮箱或者链接，点开后到哪里由 page 决定",
    "BRACKETS": "不能自带【】，签名由短信平台加上",
    "MISSING": "没有填写",
}


def flaws(template: Template, known: Mapping[str, Variable], limits: Limits) -> list[FieldError]:
    """Everything wrong with the template, field by field; `known` are the variables that its message has."""
    found: list[FieldError] = []
    for field, text in _texts(template):
        code = _text_flaw(field, text, known)
        if code is not None:
            found.append(_error(field, code))
    if not found:
        found += [_error(field, code) for field, code in _wallet_flaws(template, known, limits)]
        found += [_error(field, code) for field, code in _sms_flaws(template, known, limits)]
    return found


def _error(field: str, code: str) -> FieldError:
    return FieldError(field, code, _SAYS[code])


def _texts(template: Template) -> Iterator[tuple[str, str]]:
    for name in _LONGEST:
        yield name, getattr(template, name)
    for wallet in WALLETS:
        yield from ((f"{wallet}.{name}", text) for name, text in getattr(template, wallet).items())
    if template.sms is SmsUse.FALLBACK or template.sms_text:
        yield "sms_text", template.sms_text


def _text_flaw(field: str, text: str, known: Mapping[str, Variable]) -> str | None:
    if not text.strip():
        return fields.EMPTY
    if fields.one_line(text) != text:
        return fields.LINE_BREAK
    if any(unicodedata.category(character) in _INVISIBLE for character in text):
        return fields.CHARACTERS
    try:
        used = set(placeholders(text))
    except ValueError:
        return "PLACEHOLDER_WRONG"
    if not used <= known.keys():
        return "VARIABLE_UNKNOWN"
    sample = text.format_map(samples(known))
    if field in _LONGEST and fields.units(sample) > _LONGEST[field]:
        return fields.TOO_LONG
    if field == "page" and not _PAGE.fullmatch(sample):
        return fields.CHARACTERS
    return "LINK" if holds_a_link(sample) else None


def _wallet_flaws(template: Template, known: Mapping[str, Variable], limits: Limits) -> Iterator[tuple[str, str]]:
    example = samples(known)
    for wallet in WALLETS:
        if not getattr(template, wallet):
            yield wallet, "MISSING"
    for name, text in template.wechat.items():
        code = fields.flaw(name, text.format_map(example))
        if code is not None:
            yield f"{WECHAT}.{name}", code
    filled = {name: text.format_map(example) for name, text in template.alipay.items()}
    numbers = [int(found[1]) for found in map(_KEYWORD.fullmatch, filled) if found]
    if sorted(numbers) != list(range(1, len(filled) + 1)):
        yield ALIPAY, "KEYWORDS_WRONG"
    for name, text in filled.items():
        if fields.units(text) > limits.alipay_value:
            yield f"{ALIPAY}.{name}", fields.TOO_LONG
    if data_length(filled) > limits.alipay_data:
        yield ALIPAY, fields.TOO_LONG


def _sms_flaws(template: Template, known: Mapping[str, Variable], limits: Limits) -> Iterator[tuple[str, str]]:
    if not template.sms_text:
        return
    if any(bracket in template.sms_text for bracket in "【】"):
        yield "sms_text", "BRACKETS"
    if any(known[name].kind in _NOT_BY_TEXT for name in template.sms_params):
        yield "sms_text", "VARIABLE_NOT_BY_TEXT"
    example = samples(known)
    longest = max((fields.units(example[name]) for name in template.sms_params), default=0)
    if longest > limits.sms_param or fields.units(template.sms_text.format_map(example)) > limits.sms_text:
        yield "sms_text", fields.TOO_LONG


def samples(known: Mapping[str, Variable]) -> dict[str, str]:
    """For each variable a value of its kind, as long as one that must fit."""
    return {name: _sample(each) for name, each in known.items()}


def _sample(variable: Variable) -> str:
    longest = variable.longest
    match variable.kind:
        case VariableKind.TIME:
            return _WHOLE_SECONDS
        case VariableKind.DATE:
            return "2026年12月31日"
        case VariableKind.AMOUNT:
            return "9" * (longest - 3) + ".99"
        case VariableKind.NUMBER | VariableKind.PHONE:
            return "9" * longest
        case VariableKind.CODE | VariableKind.ID:
            return "F" * longest
        case _:
            return "测" * longest
