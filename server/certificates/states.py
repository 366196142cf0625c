"""What a certificate is worth, and where its paper is, in our words and in those people read."""

from enum import StrEnum


class CertificateState(StrEnum):
    VALID = "valid"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


class PaperState(StrEnum):
    """Where the paper is, as far as is known.

    `not_printed`: nothing says that the holder ever got it, or it came back unopened; `to_be_returned`: the paper of a
    certificate that is void is still outside; `returned`: it was given back.
    """

    WITH_HOLDER = "with_holder"
    NOT_PRINTED = "not_printed"
    TO_BE_RETURNED = "to_be_returned"
    RETURNED = "returned"
    POSTED = "posted"
    LOST = "lost"

    @property
    def outside(self) -> bool:
        """Whether it is to come back when the certificate is void."""
        return self in {PaperState.WITH_HOLDER, PaperState.POSTED}


UNKNOWN = "unknown"
_TEXTS = {
    CertificateState.VALID: "有效",
    CertificateState.SUPERSEDED: "已被新证书替代",
    CertificateState.CANCELLED: "已注销",
    UNKNOWN: "状态暂不能确认",
}
_PAPER_TEXTS = {
    PaperState.WITH_HOLDER: "纸质证书由权利人持有",
    PaperState.NOT_PRINTED: "没有领取纸质证书的记录",
    PaperState.TO_BE_RETURNED: "纸质证书应交回登记机构",
    PaperState.RETURNED: "纸质证书已交回登记机构",
    PaperState.POSTED: "纸质证书已寄出",
    PaperState.LOST: "纸质证书在邮寄中丢失，请与登记机构联系",
}
_NOT_GENUINE = "不能确认真伪"
_SENTENCES = {
    CertificateState.VALID: "本结果仅表明证书真实有效，不反映该不动产是否存在抵押、查封等情况。",
    CertificateState.SUPERSEDED: "这本证书已被新证书替代，不再有效，请查看新证书。",
    CertificateState.CANCELLED: "这本证书已经注销，不再有效。",
    UNKNOWN: "这本证书由登记机构签发，但暂时查不到它现在的状态，请稍后再试或者到登记机构查询。",
}
_NOT_GENUINE_SENTENCE = "这不是登记机构签发的证书编码，或者编码不完整。请重新扫描，仍不能确认的请到登记机构查询。"


def state_text(state: str) -> str:
    return _TEXTS[state]


def paper_text(state: str) -> str:
    """Where a certificate's paper is, in words."""
    return _PAPER_TEXTS[PaperState(state)]


def verdict(state: str, *, genuine: bool) -> tuple[str, str]:
    """The verdict in a few words, and the sentence that says what it means and what it does not."""
    if not genuine:
        return _NOT_GENUINE, _NOT_GENUINE_SENTENCE
    return _TEXTS[state], _SENTENCES[state]
