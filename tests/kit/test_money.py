import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.money import from_yuan, yuan


@pytest.mark.parametrize(("fen", "text"), [(0, "0.00"), (5, "0.05"), (8000, "80.00"), (-1, "-0.01"), (-250, "-2.50")])
def test_writes_two_decimals(fen: int, text: str):
    assert yuan(fen) == text
    assert from_yuan(text) == fen


@given(st.integers(-(10**16), 10**16))
def test_there_and_back(fen: int):
    assert from_yuan(yuan(fen)) == fen


@pytest.mark.parametrize(
    ("text", "fen"), [("80", 8000), ("0.1", 10), ("1.230000", 123), ("999999999999999.99", 99999999999999999)]
)
def test_reads_exactly(text: str, fen: int):
    assert from_yuan(text) == fen


@pytest.mark.parametrize(
    "text", ["", "0.001", "1e2", "NaN", "Infinity", " 1", "1,000", "+1", "１", "1.", ".5", "--1", "1\n"]
)
def test_refuses(text: str):
    with pytest.raises(ValueError, match="amount"):
        from_yuan(text)
