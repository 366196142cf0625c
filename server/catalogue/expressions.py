"""The conditions of configured rules: names of facts, literals, comparisons, and / or / not, brackets; nothing else.

Names and types are checked when a condition is read, so evaluating one cannot fail.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_TYPE_NAMES = {bool: "是否", int: "整数", str: "文字"}

Fact = bool | int | str
Facts = Mapping[str, Fact]
FactTypes = Mapping[str, type[Fact]]

_LONGEST = 400
_DEEPEST = 20
_TOKEN = re.compile(
    r"\s*(?:(?P<name>[a-z_][a-z0-9_]*)|(?P<number>[0-9]{1,12})|'(?P<text>[^']*)'|(?P<sign>==|!=|<=|>=|[<>()]))"
)
_CONSTANTS = {"always": True, "true": True, "never": False, "false": False}
_EQUALITY: dict[str, Callable[[Fact, Fact], bool]] = {"==": operator.eq, "!=": operator.ne}
_ORDER: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class ExpressionError(ValueError):
    """A condition that cannot be read; `sentence` (Chinese) says where and why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class _Node:
    kind: type[Fact]
    value: Callable[[Facts], Fact]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that has been read and checked against the facts it may name."""

    text: str
    _root: _Node

    def holds(self, facts: Facts) -> bool:
        """`facts` must have every name the condition was checked against."""
        return bool(self._root.value(facts))


def read_condition(text: str, known: FactTypes) -> Condition:
    """Read `text`, whose names must be among `known`; raises ExpressionError."""
    if len(text) > _LONGEST:
        raise ExpressionError(f"条件不能超过{_LONGEST}个字符。")
    reader = _Reader(_tokens(text), known)
    root = reader.either(0)
    reader.expect_end()
    if root.kind is not bool:
        raise ExpressionError(f"条件“{text}”的结果应是“是”或“否”。")
    return Condition(text, root)


def _tokens(text: str) -> list[tuple[str, str]]:
    """(group, text) pairs, each an item of the language."""
    found: list[tuple[str, str]] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ExpressionError(f"条件“{text}”第{position + 1}个字符起无法识别。")
        found.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return found


class _Reader:
    """Recursive descent over the tokens: or, and, not, comparison, operand."""

    def __init__(self, tokens: list[tuple[str, str]], known: FactTypes) -> None:
        self._tokens = tokens
        self._known = known
        self._next = 0

    def either(self, depth: int) -> _Node:
        node = self._both(depth)
        while self._take("name", "or"):
            node = _either(_boolean(node), _boolean(self._both(depth)))
        return node

    def _both(self, depth: int) -> _Node:
        node = self._denied(depth)
        while self._take("name", "and"):
            node = _both(_boolean(node), _boolean(self._denied(depth)))
        return node

    def _denied(self, depth: int) -> _Node:
        if depth > _DEEPEST:
            raise ExpressionError(f"条件的嵌套不能超过{_DEEPEST}层。")
        if self._take("name", "not"):
            return _denied(_boolean(self._denied(depth + 1)))
        return self._compared(depth)

    def _compared(self, depth: int) -> _Node:
        left = self._operand(depth)
        for sign in (*_EQUALITY, *_ORDER):
            if self._take("sign", sign):
                return _compared(sign, left, self._operand(depth))
        return left

    def _operand(self, depth: int) -> _Node:
        if self._next >= len(self._tokens):
            raise ExpressionError("条件不完整，末尾缺少内容。")
        group, text = self._tokens[self._next]
        self._next += 1
        if group == "number":
            return _constant(int(text))
        if group == "text":
            return _constant(text)
        if text == "(":
            inner = self.either(depth + 1)
            if not self._take("sign", ")"):
                raise ExpressionError("条件缺少右括号。")
            return inner
        if text in _CONSTANTS:
            return _constant(_CONSTANTS[text])
        if text not in self._known:
            raise ExpressionError(f"条件中的“{text}”不是可用的事实名称。")
        return _Node(self._known[text], lambda facts: facts[text])

    def _take(self, group: str, text: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next] == (group, text):
            self._next += 1
            return True
        return False

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise ExpressionError(f"条件中“{self._tokens[self._next][1]}”之前缺少 and 或 or。")


def _boolean(node: _Node) -> _Node:
    if node.kind is not bool:
        raise ExpressionError("and、or、not 只能用在“是否”类的事实上。")
    return node


def _constant(value: Fact) -> _Node:
    return _Node(type(value), lambda _: value)


def _either(left: _Node, right: _Node) -> _Node:
    return _Node(bool, lambda facts: bool(left.value(facts)) or bool(right.value(facts)))


def _both(left: _Node, right: _Node) -> _Node:
    return _Node(bool, lambda facts: bool(left.value(facts)) and bool(right.value(facts)))


def _denied(node: _Node) -> _Node:
    return _Node(bool, lambda facts: not node.value(facts))


def _compared(sign: str, left: _Node, right: _Node) -> _Node:
    if left.kind is not right.kind:
        raise ExpressionError(f"{_TYPE_NAMES[left.kind]}与{_TYPE_NAMES[right.kind]}不能比较。")
    if sign in _EQUALITY:
        equal = _EQUALITY[sign]
        return _Node(bool, lambda facts: equal(left.value(facts), right.value(facts)))
    if left.kind is not int:
        raise ExpressionError(f"“{sign}”只能比较整数。")
    order = _ORDER[sign]
    return _Node(bool, lambda facts: order(int(left.value(facts)), int(right.value(facts))))
