"""Alipay's identity certification, asked from server to server; what the phone says of it counts for nothing."""

from typing import Any

from alipay.aop.api.domain.AlipayUserCertifyOpenCertifyModel import AlipayUserCertifyOpenCertifyModel
from alipay.aop.api.domain.AlipayUserCertifyOpenInitializeModel import AlipayUserCertifyOpenInitializeModel
from alipay.aop.api.domain.AlipayUserCertifyOpenQueryModel import AlipayUserCertifyOpenQueryModel
from alipay.aop.api.domain.OpenCertifyIdentityParam import OpenCertifyIdentityParam
from alipay.aop.api.domain.OpenCertifyMerchantConfig import OpenCertifyMerchantConfig
from alipay.aop.api.request.AlipayUserCertifyOpenCertifyRequest import AlipayUserCertifyOpenCertifyRequest
from alipay.aop.api.request.AlipayUserCertifyOpenInitializeRequest import AlipayUserCertifyOpenInitializeRequest
from alipay.aop.api.request.AlipayUserCertifyOpenQueryRequest import AlipayUserCertifyOpenQueryRequest

from kit.errors import OutsideError
from kit.log import get_logger
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.errors import SYSTEM, AlipayError
from server.identity.ports import FaceOutcome, FaceResult, FaceSubject, OpenedFace
from server.identity.rules import FaceFailure

_PASSED, _NOT_PASSED = "T", "F"
_UNFINISHED = "未完成"
# Alipay gives the reason as a sentence. It only chooses ours; nothing passes or fails by it.
_REASONS = (
    ("取消", FaceFailure.CANCELLED),
    ("人脸", FaceFailure.FACE_DIFFERS),
    ("证件", FaceFailure.IDENTITY_DIFFERS),
    ("姓名", FaceFailure.IDENTITY_DIFFERS),
    ("身份", FaceFailure.IDENTITY_DIFFERS),
    ("超时", FaceFailure.TIMEOUT),
)
log = get_logger("face")


class AlipayFace:
    """Opens checks with `alipay.user.certify.open.initialize` and reads how they ended with `.query`.

    `.certify` between the two is a page: its signed address goes to the phone, which opens it with `open-certify`.
    """

    def __init__(self, api: AlipayApi) -> None:
        self._api = api

    async def open(self, *, number: str, subject: FaceSubject) -> OpenedFace:
        request = AlipayUserCertifyOpenInitializeRequest(biz_model=_asked(self._api.app_id, number, subject))
        answer = await self._api.call(request, answers="alipay_user_certify_open_initialize_response")
        certify_id = answer.get("certify_id")
        if not isinstance(certify_id, str) or not certify_id:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "no certify_id in the answer", permanent=False)
        return OpenedFace(certify_id, self._page(certify_id))

    async def outcome(self, *, number: str, verify_id: str, subject: FaceSubject) -> FaceOutcome:  # noqa: ARG002 - Alipay keeps both with the id
        model = AlipayUserCertifyOpenQueryModel()
        model.certify_id = verify_id
        request = AlipayUserCertifyOpenQueryRequest(biz_model=model)
        try:
            answer = await self._api.call(request, answers="alipay_user_certify_open_query_response")
        except AlipayError as error:
            if not error.permanent:
                raise
            # The check is unknown there, or has expired: it can never pass.
            log.warning("face_check_refused", outside_code=error.code)
            return FaceOutcome(FaceResult.FAILED, error.code, FaceFailure.OTHER)
        return _outcome(answer)

    def _page(self, certify_id: str) -> str:
        model = AlipayUserCertifyOpenCertifyModel()
        model.certify_id = certify_id
        return self._api.page_url(AlipayUserCertifyOpenCertifyRequest(biz_model=model))


def _asked(app_id: str, number: str, subject: FaceSubject) -> AlipayUserCertifyOpenInitializeModel:
    identity = OpenCertifyIdentityParam()
    identity.identity_type, identity.cert_type = "CERT_INFO", "IDENTITY_CARD"
    identity.cert_name, identity.cert_no = subject.name, subject.id_number
    back = OpenCertifyMerchantConfig()
    back.return_url = f"alipays://platformapi/startapp?appId={app_id}"
    model = AlipayUserCertifyOpenInitializeModel()
    model.outer_order_no, model.biz_code = number, "FACE"
    model.identity_param, model.merchant_config = identity, back
    return model


def _outcome(answer: dict[str, Any]) -> FaceOutcome:
    """Passed only by an exact "T"; "F" without a reason, or for being unfinished, says that nobody has looked yet."""
    passed, reason = answer.get("passed"), answer.get("fail_reason")
    if passed == _PASSED:
        return FaceOutcome(FaceResult.PASSED, _PASSED)
    if passed == _NOT_PASSED and (not reason or _UNFINISHED in str(reason)):
        return FaceOutcome(FaceResult.PENDING, _NOT_PASSED)
    failure = next((ours for theirs, ours in _REASONS if theirs in str(reason)), FaceFailure.OTHER)
    return FaceOutcome(FaceResult.FAILED, str(passed)[:1], failure)
