import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.catalogue.expressions import ExpressionError, Fact, read_condition

KNOWN: dict[str, type[Fact]] = {"agent": bool, "minor": bool, "parties": int, "kind": str}
FACTS: dict[str, Fact] = {"agent": True, "minor": False, "parties": 3, "kind": "transfer"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("always", True),
        ("never", False),
        ("true", True),
        ("false", False),
        ("agent", True),
        ("not agent", False),
        ("not not agent", True),
        ("minor or agent", True),
        ("minor and agent", False),
        ("agent or minor and minor", True),
        ("(agent or minor) and minor", False),
        ("not (minor or agent)", False),
        ("not minor and agent", True),
        ("parties == 3", True),
        ("parties != 3", False),
        ("parties < 3", False),
        ("parties <= 3", True),
        ("parties > 2", True),
        ("parties >= 4", False),
        ("kind == 'transfer'", True),
        ("kind != 'transfer' or minor", False),
        ("  agent==minor ", False),
    ],
)
def test_conditions(text: str, *, holds: bool) -> None:
    assert read_condition(text, KNOWN).holds(FACTS) is holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "agent and",
        "agent or or minor",
        "and",
        "not",
        "agent minor",
        "(agent",
        "agent)",
        "unknown",
        "agent.real",
        "__import__('os')",
        "parties",
        "'text'",
        "not parties",
        "agent and 1",
        "kind or agent",
        "parties == '3'",
        "kind < 'z'",
        "agent < minor",
        "parties == 3 == 3",
        "parties +1",
        "kind == 'open",
        "(" * 30 + "agent" + ")" * 30,
        "not " * 60 + "agent",
        "agent or " * 60 + "agent",
    ],
)
def test_what_is_no_condition_is_refused_when_read(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_condition(text, KNOWN)
    assert caught.value.sentence.endswith("。")


PIECES = [*"()'=<>! ", "agent", "minor", "parties", "kind", " and ", " or ", " not ", "3"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        condition = read_condition(text, KNOWN)
    except ExpressionError:
        return
    assert condition.holds(FACTS) in {True, False}
