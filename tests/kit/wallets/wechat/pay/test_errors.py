import httpx
import pytest
from prometheus_client import REGISTRY

from kit.wallets.wechat.pay.errors import TABLE, normalised, refusal


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ORDERNOTEXIST", "ORDER_NOT_EXIST"),
        ("ORDER_NOT_EXIST", "ORDER_NOT_EXIST"),
        ("SYSTEMERROR", "SYSTEM_ERROR"),
        ("ORDERPAID", "ORDER_PAID"),
        ("ORDERCLOSED", "ORDER_CLOSED"),
        ("OUTTRADENOUSED", "OUT_TRADE_NO_USED"),
        ("param_error", "PARAM_ERROR"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
        ("<html>", "UNKNOWN"),
        ("A" * 65, "UNKNOWN"),
    ],
)
def test_one_spelling(given: str, expected: str) -> None:
    assert normalised(given) == expected


def test_no_two_codes_share_a_spelling() -> None:
    assert [normalised(name.replace("_", "")) for name in TABLE] == list(TABLE)


@pytest.mark.parametrize(
    ("status", "body", "code", "permanent"),
    [
        (400, b'{"code":"PARAM_ERROR","message":"x"}', "PARAM_ERROR", True),
        (400, b'{"code":"ORDERCLOSED","message":"x"}', "ORDER_CLOSED", True),
        (401, b'{"code":"SIGN_ERROR","message":"x"}', "SIGN_ERROR", False),
        (403, b'{"code":"OUT_TRADE_NO_USED"}', "OUT_TRADE_NO_USED", True),
        (404, b'{"code":"ORDERNOTEXIST"}', "ORDER_NOT_EXIST", True),
        (403, b'{"code":"FREQUENCY_LIMITED"}', "FREQUENCY_LIMITED", False),
        (429, b'{"code":"RATELIMIT_EXCEEDED"}', "RATELIMIT_EXCEEDED", False),
        (429, b"", "HTTP_429", False),
        (500, b'{"code":"SYSTEMERROR"}', "SYSTEM_ERROR", False),
        (500, b'{"code":"SOMETHING_NEW"}', "SOMETHING_NEW", False),
        (502, b"<html>bad gateway</html>", "HTTP_502", False),
        (400, b'{"code":5}', "HTTP_400", True),
        (400, b"[]", "HTTP_400", True),
        (302, b"", "HTTP_302", True),
    ],
)
def test_refusals(status: int, body: bytes, code: str, *, permanent: bool) -> None:
    error = refusal(httpx.Response(status, content=body))
    assert (error.system, error.code, error.permanent) == ("wechat_pay", code, permanent)


def test_every_status_is_mapped() -> None:
    for status in [*range(300, 600)]:
        for body in (b"", b"{}", b'{"code":null}', b'{"code":"","message":{"a":1}}', b"\xff"):
            error = refusal(httpx.Response(status, content=body))
            assert error.code == f"HTTP_{status}"
            assert error.permanent is (status < 500 and status not in {408, 429})


def test_a_long_message_is_cut() -> None:
    assert len(refusal(httpx.Response(400, json={"message": "长" * 900})).message) == 200


def test_a_key_or_a_clock_of_ours_that_is_not_believed_is_said_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    before = REGISTRY.get_sample_value("wallet_disbelief_total", {"system": "wechat_pay"}) or 0
    for code in ("SIGN_ERROR", "SIGNERROR", "ORDER_PAID"):
        refusal(httpx.Response(401, json={"code": code}))
    assert REGISTRY.get_sample_value("wallet_disbelief_total", {"system": "wechat_pay"}) == before + 2
    assert "".join(capsys.readouterr()).count("wallet_disbelieves_us") == 2
