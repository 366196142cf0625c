"""Levels of trust, and what a face check may do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, IntEnum, StrEnum, auto

from server.identity.errors import (
    FaceCheckExpired,
    FaceCheckMismatch,
    FaceCheckNotPassed,
    FaceCheckUsed,
    IdentityAlreadyBound,
    IdentityFixed,
    RealNameRequired,
)

FACE_CHECK_LASTS = timedelta(minutes=15)


class Level(IntEnum):
    """How well a resident is known; a level is only ever raised."""

    WALLET = 1
    PHONE = 2
    REAL_NAME = 3

    @property
    def text(self) -> str:
        return _LEVEL_TEXTS[self]


_LEVEL_TEXTS = {Level.WALLET: "已登录", Level.PHONE: "已绑定手机号", Level.REAL_NAME: "已实名认证"}


class FaceAction(StrEnum):
    """What a face check is opened for."""

    REAL_NAME = "real_name"
    CONFIRM_APPLICATION = "confirm_application"


class FaceState(StrEnum):
    """`opening` has not been answered by the wallet yet; `passed` and `failed` are final."""

    OPENING = "opening"
    OPENED = "opened"
    PASSED = "passed"
    FAILED = "failed"


class FaceFailure(StrEnum):
    """Why a face check failed, in words of ours."""

    FACE_DIFFERS = "face_differs"
    IDENTITY_DIFFERS = "identity_differs"
    CANCELLED = "cancelled"
    DEVICE = "device"
    CAMERA = "camera"
    NETWORK = "network"
    TIMEOUT = "timeout"
    ALREADY_BOUND = "already_bound"
    IDENTITY_FIXED = "identity_fixed"
    OTHER = "other"


_STATE_TEXTS = {
    FaceState.OPENING: "正在发起人脸核验",
    FaceState.OPENED: "等待完成人脸核验",
    FaceState.PASSED: "人脸核验通过",
    FaceState.FAILED: "人脸核验未通过，请重新发起",
}
_FAILURE_TEXTS = {
    FaceFailure.FACE_DIFFERS: "人脸与证件照片不一致，请本人在光线充足处重新核验",
    FaceFailure.IDENTITY_DIFFERS: "姓名与身份证号码不一致，请核对后重新核验",
    FaceFailure.CANCELLED: "您已取消人脸核验，需要时请重新发起",
    FaceFailure.DEVICE: "这部手机不支持人脸核验，请换一部手机，或到登记大厅办理",
    FaceFailure.CAMERA: "没有使用摄像头或麦克风的权限，请在手机设置中允许后重新核验",
    FaceFailure.NETWORK: "网络断了，请到信号好的地方重新核验",
    FaceFailure.TIMEOUT: "人脸核验超时，请重新核验",
    FaceFailure.ALREADY_BOUND: IdentityAlreadyBound.title,
    FaceFailure.IDENTITY_FIXED: IdentityFixed.title,
}


def state_text(state: FaceState, failure: FaceFailure | None) -> str:
    """The sentence a resident reads about a check."""
    if state is FaceState.FAILED and failure is not None:
        return _FAILURE_TEXTS.get(failure, _STATE_TEXTS[state])
    return _STATE_TEXTS[state]


def check_may_open(action: FaceAction, *, level: Level, bound: str | None, asked: str | None) -> None:
    """`bound` and `asked` are blind indexes of ID numbers; raises REAL_NAME_REQUIRED or IDENTITY_FIXED."""
    if action is FaceAction.CONFIRM_APPLICATION and level < Level.REAL_NAME:
        raise RealNameRequired
    if action is FaceAction.REAL_NAME and bound is not None and bound != asked:
        raise IdentityFixed


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """What decides whether a check may be consumed."""

    action: str
    digest: str
    state: str
    expires_at: datetime
    consumed_by: str | None


def to_consume(check: CheckFacts, *, action: str, digest: str, consumed_by: str, now: datetime) -> bool:
    """Whether the check is to be marked as used; False when this very user has done so before.

    Raises FACE_CHECK_MISMATCH, FACE_CHECK_USED, FACE_CHECK_NOT_PASSED or FACE_CHECK_EXPIRED.
    """
    if (check.action, check.digest) != (action, digest):
        raise FaceCheckMismatch
    if check.consumed_by == consumed_by:
        return False
    if check.consumed_by is not None:
        raise FaceCheckUsed
    if check.state != FaceState.PASSED:
        raise FaceCheckNotPassed
    if now >= check.expires_at:
        raise FaceCheckExpired
    return True


class Binding(Enum):
    """What becomes of a resident whose identity has been proven."""

    BIND = auto()
    MERGE = auto()
    REFUSE = auto()
    FIXED = auto()


def binding(
    *, resident_id: str, bound: str | None, proven: str, holder_id: str | None, holder_uses_wallet: bool
) -> Binding:
    """`bound` and `proven` are blind indexes of ID numbers: the resident's own by now, and the check's.

    Whoever is somebody stays that one: of two checks opened before either was passed, the second binds nobody else.

    One person is one resident: a second kind of wallet joins the resident who holds the identity.

    A second account of the same wallet is refused: it would let whoever passes the check once, on a phone that is not
    theirs, take over everything silently. The person uses the first account, or goes to the counter.
    """
    if bound is not None and bound != proven:
        return Binding.FIXED
    if holder_id is None or holder_id == resident_id:
        return Binding.BIND
    return Binding.REFUSE if holder_uses_wallet else Binding.MERGE
