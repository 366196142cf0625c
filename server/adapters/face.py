"""WeChat's face verification v2, asked from server to server; what the phone says of it counts for nothing."""

from kit.errors import OutsideError
from kit.log import get_logger
from kit.wallets.wechat.errors import SYSTEM, WechatError
from kit.wallets.wechat.face import IDENTITY_CARD, cert_hash
from kit.wallets.wechat.transport import WechatApi
from server.identity.ports import FaceOutcome, FaceResult, FaceSubject, OpenedFace
from server.identity.rules import FaceFailure

_PASSED = 10000
_FAILURES = {
    10001: FaceFailure.OTHER,  # parameters
    10002: FaceFailure.FACE_DIFFERS,
    10003: FaceFailure.IDENTITY_DIFFERS,
    90001: FaceFailure.DEVICE,
    **dict.fromkeys(range(90002, 90007), FaceFailure.CANCELLED),
    90007: FaceFailure.NETWORK,
    **dict.fromkeys(range(90008, 90011), FaceFailure.CAMERA),
    90017: FaceFailure.TIMEOUT,
}
# The wallet's own trouble, or nobody has looked into the camera yet: nothing has been decided.
_UNDECIDED = frozenset({90018, 90199})
log = get_logger("face")


class WechatFace:
    """Opens checks with `getverifyid` and reads how they ended with `queryverifyinfo`."""

    def __init__(self, api: WechatApi) -> None:
        self._api = api

    async def open(self, *, number: str, subject: FaceSubject) -> OpenedFace:
        asked = {
            "out_seq_no": number,
            "openid": subject.openid,
            "cert_info": {
                "cert_type": IDENTITY_CARD,
                "cert_name": subject.name,
                "cert_no": subject.id_number,
            },
        }
        answer = await self._api.post_json("cityservice/face/identify/getverifyid", asked)
        verify_id = answer.get("verify_id")
        if not isinstance(verify_id, str) or not verify_id:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "no verify_id in the answer", permanent=False)
        return OpenedFace(verify_id)

    async def outcome(self, *, number: str, verify_id: str, subject: FaceSubject) -> FaceOutcome:
        asked = {
            "verify_id": verify_id,
            "out_seq_no": number,
            "cert_hash": cert_hash(IDENTITY_CARD, subject.name, subject.id_number),
            "openid": subject.openid,
        }
        try:
            answer = await self._api.post_json("cityservice/face/identify/queryverifyinfo", asked)
        except WechatError as error:
            if not error.permanent:
                raise
            # The check is unknown there, or was opened for something else: it can never pass.
            log.warning("face_check_refused", outside_code=error.code)
            return FaceOutcome(FaceResult.FAILED, error.code, FaceFailure.OTHER)
        return _outcome(answer.get("errcode"), answer.get("verify_ret"))


def _outcome(errcode: object, verify_ret: object) -> FaceOutcome:
    """Passed only if errcode is there and 0 and verify_ret is 10000; a code nobody has heard of is a failure."""
    code = verify_ret if isinstance(verify_ret, int) else -1
    if errcode == 0 and code == _PASSED:
        return FaceOutcome(FaceResult.PASSED, str(code))
    if code in _UNDECIDED:
        return FaceOutcome(FaceResult.PENDING, str(code))
    return FaceOutcome(FaceResult.FAILED, str(code), _FAILURES.get(code, FaceFailure.OTHER))
