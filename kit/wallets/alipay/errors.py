"""Alipay's codes and sub-codes: what each means to us, and which of them will pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from kit.errors import OutsideError
from kit.log import get_logger
from kit.wallets import disbelief

SYSTEM = "alipay"
SUCCESS = "10000"
BUSINESS = "40004"

_MESSAGE_CHARS = 200
log = get_logger("alipay")


class Meaning(StrEnum):
    """Our word for what Alipay refused."""

    UNAVAILABLE = "unavailable"  # its own trouble; what was asked may have happened: query
    PROCESSING = "processing"
    TOO_OFTEN = "too_often"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a word, no token
    CODE_REFUSED = "code_refused"  # the login code is wrong, used or old
    SIGNATURE_REFUSED = "signature_refused"  # ours: the key, or what was signed
    CLOCK_REFUSED = "clock_refused"
    ENCRYPTION_REFUSED = "encryption_refused"
    PARAMETER_REFUSED = "parameter_refused"
    NOT_PERMITTED = "not_permitted"
    TRADE_NOT_FOUND = "trade_not_found"
    TRADE_PAID = "trade_paid"
    TRADE_CLOSED = "trade_closed"
    TRADE_FINISHED = "trade_finished"
    TRADE_DIFFERS = "trade_differs"  # the number is taken by an order with other particulars
    TRADE_STATE = "trade_state"
    BUYER_REFUSED = "buyer_refused"
    SELLER_REFUSED = "seller_refused"
    REFUND_DIFFERS = "refund_differs"
    REFUND_REFUSED = "refund_refused"
    BALANCE_SHORT = "balance_short"
    CHECK_ENDED = "check_ended"  # no such certification, or no longer
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    meaning: Meaning
    permanent: bool = True


_DISBELIEF = frozenset({Meaning.SIGNATURE_REFUSED, Meaning.CLOCK_REFUSED})
_WILL_PASS = _DISBELIEF | {Meaning.UNAVAILABLE, Meaning.PROCESSING, Meaning.TOO_OFTEN, Meaning.BALANCE_SHORT}
_GATEWAY = {
    "10003": Meaning.PROCESSING,
    "20000": Meaning.UNAVAILABLE,
    "20001": Meaning.TOKEN_REFUSED,
    "40001": Meaning.PARAMETER_REFUSED,
    "40002": Meaning.PARAMETER_REFUSED,
    "40003": Meaning.NOT_PERMITTED,
    "40004": Meaning.UNKNOWN,  # the business refused: the sub-code says why
    "40005": Meaning.TOO_OFTEN,
    "40006": Meaning.NOT_PERMITTED,
}
_SUB_CODES = {
    Meaning.UNAVAILABLE: (
        "aop.unknow-error",
        "aop.unknown-error",
        "isp.unknow-error",
        "isp.unknown-error",
        "isp.service-unavailable",
        "isp.bad-gateway",
        "ACQ.SYSTEM_ERROR",
        "SYSTEM_ERROR",
    ),
    Meaning.TOO_OFTEN: ("aop.call-limited", "isv.app-call-limited", "isv.method-call-limited"),
    Meaning.TOKEN_REFUSED: (
        "aop.invalid-auth-token",
        "aop.auth-token-time-out",
        "aop.invalid-app-auth-token",
        "aop.invalid-app-auth-token-no-api",
        "aop.app-auth-token-time-out",
        "aop.no-product-reg-by-partner",
        "isv.refresh-token-invalid",
        "isv.refresh-token-time-out",
        "isv.refreshed-token-invalid",
    ),
    Meaning.CODE_REFUSED: ("isv.code-invalid", "isv.grant-type-invalid"),
    Meaning.SIGNATURE_REFUSED: (
        "isv.invalid-signature",
        "isv.invalid-signature-type",
        "isv.missing-signature",
        "isv.missing-signature-config",
        "isv.missing-signature-key",
        "isv.missing-signature-type",
    ),
    Meaning.CLOCK_REFUSED: ("isv.invalid-timestamp",),
    Meaning.ENCRYPTION_REFUSED: (
        "isv.invalid-encrypt",
        "isv.invalid-encrypt-type",
        "isv.missing-encrypt-key",
        "isv.decryption-error-missing-encrypt-type",
        "isv.decryption-error-not-valid-encrypt-key",
        "isv.decryption-error-not-valid-encrypt-type",
        "isv.decryption-error-unknown",
    ),
    Meaning.PARAMETER_REFUSED: (
        "isv.invalid-parameter",
        "isv.missing-parameter",
        "isv.invalid-method",
        "isv.missing-method",
        "isv.invalid-format",
        "isv.invalid-charset",
        "isv.invalid-digest",
        "isv.invalid-content-type",
        "isv.invalid-file-extension",
        "isv.invalid-file-size",
        "isv.upload-fail",
        "isv.missing-timestamp",
        "isv.missing-version",
        "ACQ.INVALID_PARAMETER",
        "ACQ.EXIST_FORBIDDEN_WORD",
        "ACQ.TOTAL_FEE_EXCEED",
        "INVALID_PARAMETER",
    ),
    Meaning.NOT_PERMITTED: (
        "isv.invalid-app-id",
        "isv.missing-app-id",
        "isv.not-support-app-auth",
        "isv.suspected-attack",
        "isv.insufficient-isv-permissions",
        "isv.insufficient-user-permissions",
        "aop.invalid-app-id",
        "ACQ.ACCESS_FORBIDDEN",
        "ACQ.PARTNER_ERROR",
    ),
    Meaning.TRADE_NOT_FOUND: ("ACQ.TRADE_NOT_EXIST",),
    Meaning.TRADE_PAID: ("ACQ.TRADE_HAS_SUCCESS",),
    Meaning.TRADE_CLOSED: ("ACQ.TRADE_HAS_CLOSE",),
    Meaning.TRADE_FINISHED: ("ACQ.TRADE_HAS_FINISHED",),
    Meaning.TRADE_DIFFERS: ("ACQ.CONTEXT_INCONSISTENT",),
    Meaning.TRADE_STATE: ("ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.REASON_ILLEGAL_STATUS"),
    Meaning.BUYER_REFUSED: (
        "ACQ.BUYER_SELLER_EQUAL",
        "ACQ.TRADE_BUYER_NOT_MATCH",
        "ACQ.BUYER_ENABLE_STATUS_FORBID",
        "ACQ.BUYER_NOT_EXIST",
        "ACQ.BUYER_BALANCE_NOT_ENOUGH",
        "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT",
        "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",
        "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
    ),
    Meaning.SELLER_REFUSED: ("ACQ.SELLER_BEEN_BLOCKED", "ACQ.SELLER_NOT_EXIST"),
    Meaning.REFUND_DIFFERS: ("ACQ.DISCORDANT_REPEAT_REQUEST",),
    Meaning.REFUND_REFUSED: (
        "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
        "ACQ.REFUND_FEE_ERROR",
        "ACQ.REASON_TRADE_BEEN_FREEZEN",
        "ACQ.REASON_TRADE_REFUND_FEE_ERR",
        "ACQ.TRADE_NOT_ALLOW_REFUND",
        "ACQ.NOT_ALLOW_PARTIAL_REFUND",
    ),
    Meaning.BALANCE_SHORT: ("ACQ.SELLER_BALANCE_NOT_ENOUGH",),
    Meaning.CHECK_ENDED: ("CERTIFY_ID_EXPIRED", "CERTIFY_ID_NOT_EXIST"),
}

TABLE: Mapping[str, Verdict] = MappingProxyType(
    {
        code: Verdict(meaning, permanent=meaning not in _WILL_PASS)
        for meaning, codes in (
            *((meaning, (code,)) for code, meaning in _GATEWAY.items()),
            *_SUB_CODES.items(),
        )
        for code in codes
    }
)


class AlipayError(OutsideError):
    """Alipay refused. `code` is its sub-code, or its code where there is none; `meaning` is ours.

    `gateway_code` is the outer code ("40004"). `signed` is False for a refusal that came without Alipay's
    signature: good enough to say that nothing was got, never that something is so.
    """

    def __init__(self, code: str, sub_code: str | None, message: str, *, signed: bool = True) -> None:
        verdict = judged(code, sub_code)
        if verdict.meaning in _DISBELIEF:
            disbelief.tell(SYSTEM, sub_code or code)
        super().__init__(SYSTEM, sub_code or code, message[:_MESSAGE_CHARS], permanent=verdict.permanent)
        self.gateway_code = code
        self.sub_code = sub_code
        self.meaning = verdict.meaning
        self.signed = signed


def judged(code: str, sub_code: str | None) -> Verdict:
    """What a refusal means; for an unheard-of sub-code, which is logged, the outer code decides if it will pass."""
    outer = TABLE.get(code, Verdict(Meaning.UNKNOWN))
    if not sub_code:
        return outer
    known = TABLE.get(sub_code)
    if known is not None:
        return known
    log.warning("alipay_code_unmapped", code=code[:32], sub_code=sub_code[:64])
    return outer
