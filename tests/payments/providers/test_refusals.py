"""Every code that either wallet is known to refuse with means something to us; a new one fails here first."""

import re
from pathlib import Path

import httpx
import pytest

import sandbox
from kit.errors import OutsideError
from kit.wallets.alipay import errors as alipay
from kit.wallets.wechat.pay import errors as wechat

# As the platforms' own pages list them for ordering, asking, closing, refunding and bills.
WECHAT_CODES = """
PARAM_ERROR INVALID_REQUEST ORDER_CLOSED APPID_MCHID_NOT_MATCH SIGN_ERROR OUT_TRADE_NO_USED NO_AUTH RULE_LIMIT
ORDER_NOT_EXIST FREQUENCY_LIMITED SYSTEM_ERROR NOT_ENOUGH USER_ACCOUNT_ABNORMAL RESOURCE_NOT_EXISTS MCH_NOT_EXISTS
BANK_ERROR TRADE_ERROR ACCOUNT_ERROR OPENID_MISMATCH INVALID_TRANSACTIONID REQUEST_BLOCKED ORDER_PAID USER_PAYING
NOT_FOUND FREQUENCY_LIMIT_EXCEED RATELIMIT_EXCEEDED ALREADY_EXISTS NO_STATEMENT_EXIST STATEMENT_CREATING
"""
ALIPAY_CODES = """
10003 20000 20001 40001 40002 40003 40004 40006 ACQ.SYSTEM_ERROR ACQ.INVALID_PARAMETER ACQ.ACCESS_FORBIDDEN
ACQ.EXIST_FORBIDDEN_WORD ACQ.PARTNER_ERROR ACQ.TOTAL_FEE_EXCEED ACQ.CONTEXT_INCONSISTENT ACQ.TRADE_HAS_SUCCESS
ACQ.TRADE_HAS_CLOSE ACQ.TRADE_NOT_EXIST ACQ.TRADE_STATUS_ERROR ACQ.BUYER_SELLER_EQUAL ACQ.TRADE_BUYER_NOT_MATCH
ACQ.BUYER_ENABLE_STATUS_FORBID ACQ.SELLER_BALANCE_NOT_ENOUGH ACQ.REFUND_AMT_NOT_EQUAL_TOTAL
ACQ.REASON_TRADE_BEEN_FREEZEN ACQ.TRADE_HAS_FINISHED ACQ.DISCORDANT_REPEAT_REQUEST ACQ.REASON_TRADE_REFUND_FEE_ERR
ACQ.TRADE_NOT_ALLOW_REFUND ACQ.REFUND_FEE_ERROR isv.invalid-signature isv.insufficient-isv-permissions
"""
WILL_PASS = {
    *("FREQUENCY_LIMITED", "SYSTEM_ERROR", "BANK_ERROR", "USER_PAYING", "FREQUENCY_LIMIT_EXCEED", "RATELIMIT_EXCEEDED"),
    "STATEMENT_CREATING",
    "SIGN_ERROR",
}
SOURCES = Path(next(iter(sandbox.__path__)))


@pytest.mark.parametrize("code", WECHAT_CODES.split())
def test_a_code_of_wechat_pay_is_known_in_either_spelling(code: str) -> None:
    assert wechat.TABLE[code]
    for spelling in (code, code.replace("_", ""), code.lower()):
        refused = wechat.refusal(httpx.Response(400, json={"code": spelling, "message": "不行"}))
        assert isinstance(refused, OutsideError)
        assert (refused.code, refused.permanent) == (code, code not in WILL_PASS)


@pytest.mark.parametrize("code", ALIPAY_CODES.split())
def test_a_code_of_alipay_is_known(code: str) -> None:
    assert alipay.TABLE[code].meaning
    assert alipay.judged("40004", code) == alipay.TABLE[code]


def test_what_the_sandbox_refuses_with_is_known() -> None:
    pay = "".join(path.read_text() for path in (SOURCES / "wechat").glob("*.py"))
    found = set(re.findall(r'refuse\(\s*\d+, "([A-Z_]+)"', pay))
    assert len(found) > 5
    assert found <= set(wechat.TABLE)
    ali = "".join(path.read_text() for path in (SOURCES / "alipay").glob("*.py"))
    business = set(re.findall(r'"(ACQ\.[A-Z_]+)"', ali))
    assert len(business) > 5
    assert business <= set(alipay.TABLE)


def test_a_code_never_heard_of_is_logged_and_taken_for_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert wechat.refusal(httpx.Response(400, json={"code": "NEW_TROUBLE"})).permanent
    assert not wechat.refusal(httpx.Response(503, json={"code": "NEW_TROUBLE"})).permanent
    assert "wechat_pay_code_unmapped" in "".join(capsys.readouterr())
