import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.wallets.alipay.answers import UnreadableError, members

_NAME = st.text(max_size=8)
_LEAF = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=20)
# Text that looks like the end of the answer is what a pattern falls for.
_TRICKY = st.sampled_from(['"}', '},"sign":"AAAA"', '{"a_response":{', "\\", '\\"', '","sign":"', "}}}}", "[{"])
_VALUE = st.recursive(
    _LEAF | _TRICKY, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAME | _TRICKY, inner, max_size=4)
)
_GAP = st.text(alphabet=" \t\r\n", max_size=3)


@st.composite
def _written(draw: st.DrawFn, value: Any) -> str:
    """JSON as somebody else may write it: other spaces, other escapes."""
    separators = (draw(_GAP) + "," + draw(_GAP), draw(_GAP) + ":" + draw(_GAP))
    return json.dumps(value, ensure_ascii=draw(st.booleans()), separators=separators)


@given(st.data(), st.dictionaries(_NAME | _TRICKY, _VALUE, max_size=5))
def test_every_value_is_cut_out_exactly_as_it_was_written(data: st.DataObject, values: dict[str, Any]) -> None:
    written = {name: data.draw(_written(value)) for name, value in values.items()}
    gaps = [data.draw(_GAP) for _ in range(6)]
    inner = ",".join(f"{gaps[0]}{json.dumps(name)}{gaps[1]}:{gaps[2]}{raw}{gaps[3]}" for name, raw in written.items())
    found = members(f"{gaps[4]}{{{inner or gaps[0]}}}{gaps[5]}".encode())
    assert {name: member.raw for name, member in found.items()} == written
    assert {name: member.value for name, member in found.items()} == values


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    try:
        found = members(body)
    except UnreadableError:
        return
    assert json.loads(body) == {name: member.value for name, member in found.items()}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"{}"',
        "{",
        "{}{}",
        "{} x",
        '{"a":1,}',
        '{"a" 1}',
        '{"a":1 "b":2}',
        '{1:"a"}',
        '{{}:"a"}',
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":2}}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":"\n"}',
        "{\"a\":'b'}",
        '\ufeff{"a":1}',
        '{"a":' + "[" * 200_000,
        '{"a":' + "9" * 5000 + "}",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(UnreadableError):
        members(text.encode())


def test_not_utf8_and_too_large() -> None:
    with pytest.raises(UnreadableError):
        members(b'{"a":"\xd5\xc5"}')
    with pytest.raises(UnreadableError):
        members(b'{"a":"' + b"x" * (4 * 1024 * 1024) + b'"}')
