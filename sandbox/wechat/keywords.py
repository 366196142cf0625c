"""What each kind of keyword of a subscription message may hold."""

import re
from datetime import datetime
from typing import Any

# 业务, 编号, 状态, 时间, 提示: the same keywords in every template.
FIELDS = ("thing1", "character_string2", "phrase3", "time4", "thing5")

_CHINESE = r"\u4e00-\u9fff"
_RULES = {
    "thing": re.compile(r".{1,20}"),
    "number": re.compile(r"[+-]?(?=.{1,32}$)\d+(\.\d+)?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(rf"[^\sA-Za-z0-9{_CHINESE}]{{1,5}}"),
    "character_string": re.compile(rf"[^{_CHINESE}]{{1,32}}"),
    "amount": re.compile(r"[¥￥$€£]?\d{1,10}(\.\d+)?元?"),
    "phone_number": re.compile(r"[0-9+()\- ]{1,17}"),
    "car_number": re.compile(r"[A-Z0-9\u4e00-\u9fff]{1,8}"),
    "name": re.compile(rf"[{_CHINESE}·]{{1,10}}|[A-Za-z ]{{1,20}}"),
    "phrase": re.compile(rf"[{_CHINESE}]{{1,5}}"),
}
_TIMES = (
    "%H:%M",
    "%H:%M:%S",
    "%Y年%m月%d日",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
)


def first_bad_field(data: Any) -> str | None:
    """The first keyword that WeChat would refuse with 47003, or None when all are right."""
    if not isinstance(data, dict):
        return "data"
    extra = data.keys() - set(FIELDS)
    if extra:
        return f"data.{min(extra)}"
    return next((f"data.{field}.value" for field in FIELDS if not _fits(field, data.get(field))), None)


def _fits(field: str, holder: Any) -> bool:
    value = holder.get("value") if isinstance(holder, dict) else None
    if not isinstance(value, str) or not value.strip() or "\n" in value or "\r" in value:
        return False
    kind = field.rstrip("0123456789")
    if kind in {"time", "date"}:
        return all(_is_time(part.strip()) for part in value.split("~"))
    return _RULES[kind].fullmatch(value) is not None


def _is_time(text: str) -> bool:
    for pattern in _TIMES:
        try:
            datetime.strptime(text, pattern)  # noqa: DTZ007 - only the form is judged, no moment is made of it
        except ValueError:
            continue
        return True
    return False
