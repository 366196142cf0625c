import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.terms.credit_code import CreditCode, credit_check
from server.terms.errors import TermError

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize(
    "code",
    [
        "11100000MB03271699",
        "91320114MA9YYYYY7N",
        "91320100MA9XXXXX3Q",
        "91320000MA9WWWWWXU",
        "92320105MA9UUUUU2A",
        "12320100MB9000015P",
    ],
)
def test_valid_codes(code: str) -> None:
    assert str(CreditCode.parse(code.lower())) == code


def test_parts() -> None:
    code = CreditCode.parse("91320114MA9YYYYY7N")
    assert code.organisation_code() == "MA9YYYYY7"
    assert code.district().code == "320114"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("91320114MA9YYYYY7M", "CREDIT_CODE_CHECK"),
        ("91320114MA9YYYYY7", "CREDIT_CODE_INVALID"),
        ("91320114MI9YYYYY7N", "CREDIT_CODE_INVALID"),
    ],
)
def test_bad_codes(text: str, fault: str) -> None:
    with pytest.raises(TermError) as caught:
        CreditCode.parse(text)
    assert caught.value.code == fault


@given(st.integers(0, 999999), st.text(ALPHABET, min_size=9, max_size=9), st.integers(8, 16), st.integers(1, 30))
def test_any_single_changed_character_is_caught(place: int, organisation: str, position: int, shift: int) -> None:
    body = f"91{place:06d}{organisation}"
    code = body + credit_check(body)
    assert CreditCode.parse(code).code == code
    changed = ALPHABET[(ALPHABET.index(code[position]) + shift) % 31]
    with pytest.raises(TermError):
        CreditCode.parse(code[:position] + changed + code[position + 1 :])
