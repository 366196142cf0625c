import pytest
from prometheus_client import REGISTRY

from kit.wallets.alipay.errors import TABLE, AlipayError, Meaning, judged

# What Alipay's documents list, with what we make of it.
DOCUMENTED = {
    Meaning.UNAVAILABLE: "20000 aop.unknow-error isp.unknow-error ACQ.SYSTEM_ERROR SYSTEM_ERROR",
    Meaning.PROCESSING: "10003",
    Meaning.TOO_OFTEN: "40005 isv.app-call-limited isv.method-call-limited",
    Meaning.TOKEN_REFUSED: "20001 aop.invalid-auth-token aop.auth-token-time-out aop.invalid-app-auth-token "
    "aop.invalid-app-auth-token-no-api aop.app-auth-token-time-out aop.no-product-reg-by-partner",
    Meaning.CODE_REFUSED: "isv.code-invalid",
    Meaning.SIGNATURE_REFUSED: "isv.invalid-signature isv.invalid-signature-type isv.missing-signature "
    "isv.missing-signature-config isv.missing-signature-key isv.missing-signature-type",
    Meaning.CLOCK_REFUSED: "isv.invalid-timestamp",
    Meaning.ENCRYPTION_REFUSED: "isv.invalid-encrypt isv.invalid-encrypt-type isv.decryption-error-unknown "
    "isv.decryption-error-missing-encrypt-type isv.decryption-error-not-valid-encrypt-key "
    "isv.decryption-error-not-valid-encrypt-type",
    Meaning.PARAMETER_REFUSED: "40001 40002 isv.invalid-parameter isv.invalid-method isv.missing-method "
    "isv.invalid-format isv.invalid-charset isv.invalid-digest isv.invalid-content-type isv.missing-timestamp "
    "isv.missing-version isv.upload-fail isv.invalid-file-extension isv.invalid-file-size ACQ.INVALID_PARAMETER "
    "ACQ.EXIST_FORBIDDEN_WORD ACQ.TOTAL_FEE_EXCEED",
    Meaning.NOT_PERMITTED: "40003 40006 isv.invalid-app-id isv.missing-app-id isv.not-support-app-auth "
    "isv.suspected-attack isv.insufficient-isv-permissions isv.insufficient-user-permissions ACQ.ACCESS_FORBIDDEN "
    "ACQ.PARTNER_ERROR",
    Meaning.TRADE_NOT_FOUND: "ACQ.TRADE_NOT_EXIST",
    Meaning.TRADE_PAID: "ACQ.TRADE_HAS_SUCCESS",
    Meaning.TRADE_CLOSED: "ACQ.TRADE_HAS_CLOSE",
    Meaning.TRADE_FINISHED: "ACQ.TRADE_HAS_FINISHED",
    Meaning.TRADE_DIFFERS: "ACQ.CONTEXT_INCONSISTENT",
    Meaning.TRADE_STATE: "ACQ.TRADE_STATUS_ERROR ACQ.REASON_TRADE_STATUS_INVALID ACQ.REASON_ILLEGAL_STATUS",
    Meaning.BUYER_REFUSED: "ACQ.BUYER_SELLER_EQUAL ACQ.TRADE_BUYER_NOT_MATCH ACQ.BUYER_ENABLE_STATUS_FORBID",
    Meaning.SELLER_REFUSED: "ACQ.SELLER_BEEN_BLOCKED",
    Meaning.REFUND_DIFFERS: "ACQ.DISCORDANT_REPEAT_REQUEST",
    Meaning.REFUND_REFUSED: "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL ACQ.REASON_TRADE_BEEN_FREEZEN "
    "ACQ.REASON_TRADE_REFUND_FEE_ERR ACQ.TRADE_NOT_ALLOW_REFUND ACQ.REFUND_FEE_ERROR",
    Meaning.BALANCE_SHORT: "ACQ.SELLER_BALANCE_NOT_ENOUGH",
    Meaning.CHECK_ENDED: "CERTIFY_ID_EXPIRED",
    Meaning.UNKNOWN: "40004",
}
PASSING = {"10003", "20000", "40005", "ACQ.SELLER_BALANCE_NOT_ENOUGH"} | {
    *DOCUMENTED[Meaning.SIGNATURE_REFUSED].split(),
    *DOCUMENTED[Meaning.CLOCK_REFUSED].split(),
    *DOCUMENTED[Meaning.UNAVAILABLE].split(),
    *DOCUMENTED[Meaning.TOO_OFTEN].split(),
}


@pytest.mark.parametrize(
    ("code", "meaning"), [(code, meaning) for meaning, codes in DOCUMENTED.items() for code in codes.split()]
)
def test_every_documented_code_is_mapped(code: str, meaning: Meaning) -> None:
    assert code in TABLE
    assert (TABLE[code].meaning, TABLE[code].permanent) == (meaning, code not in PASSING)


def test_every_meaning_is_documented() -> None:
    assert set(DOCUMENTED) == set(Meaning)


@pytest.mark.parametrize(
    ("code", "sub_code", "meaning", "permanent"),
    [
        ("40004", "ACQ.SOMETHING_NEW", Meaning.UNKNOWN, True),
        ("20000", "isp.something-new", Meaning.UNAVAILABLE, False),
        ("40002", "isv.something-new", Meaning.PARAMETER_REFUSED, True),
        ("99999", None, Meaning.UNKNOWN, True),
        ("40004", "", Meaning.UNKNOWN, True),
    ],
)
def test_what_nobody_has_heard_of(code: str, sub_code: str | None, meaning: Meaning, *, permanent: bool) -> None:
    verdict = judged(code, sub_code)
    assert (verdict.meaning, verdict.permanent) == (meaning, permanent)


def test_the_error_says_what_alipay_said() -> None:
    error = AlipayError("40004", "ACQ.SYSTEM_ERROR", "长" * 900)
    assert (error.code, error.gateway_code, error.permanent, len(error.message)) == (
        "ACQ.SYSTEM_ERROR",
        "40004",
        False,
        200,
    )
    assert AlipayError("20001", None, "x").code == "20001"


@pytest.mark.parametrize("sub_code", ["isv.invalid-signature", "isv.invalid-timestamp"])
def test_a_key_or_a_clock_of_ours_that_is_not_believed_is_said_and_counted(
    sub_code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = REGISTRY.get_sample_value("wallet_disbelief_total", {"system": "alipay"}) or 0
    assert not AlipayError("40002", sub_code, "x").permanent
    AlipayError("40004", "ACQ.TRADE_NOT_EXIST", "x")
    assert REGISTRY.get_sample_value("wallet_disbelief_total", {"system": "alipay"}) == before + 1
    assert "".join(capsys.readouterr()).count("wallet_disbelieves_us") == 1
