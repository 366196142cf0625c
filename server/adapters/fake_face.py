"""Face verification in memory: undecided until somebody has looked into the camera."""

import secrets
from dataclasses import dataclass

from kit.errors import OutsideError
from server.identity.ports import FaceOutcome, FaceResult, FaceSubject, OpenedFace
from server.identity.rules import FaceFailure


@dataclass(slots=True)
class _Check:
    number: str
    subject: FaceSubject
    outcome: FaceOutcome


class FakeFace:
    """Serves as FaceVerification; `look` stands for the person before the camera.

    With a `page`, the address at which a wallet like Alipay shows its camera, opened checks have a URL.
    """

    def __init__(self, *, page: str | None = None) -> None:
        self._page = page
        self._checks: dict[str, _Check] = {}

    def look(self, verify_id: str, *, failure: FaceFailure | None = None) -> None:
        """Pass, or fail for a reason; KeyError for an id that was never opened."""
        result = FaceResult.PASSED if failure is None else FaceResult.FAILED
        self._checks[verify_id].outcome = FaceOutcome(result, "fake", failure)

    async def open(self, *, number: str, subject: FaceSubject) -> OpenedFace:
        if any(check.number == number for check in self._checks.values()):
            raise OutsideError("fake_face", "NUMBER_USED", "a number opens one check", permanent=True)
        verify_id = secrets.token_urlsafe(32)
        self._checks[verify_id] = _Check(number, subject, FaceOutcome(FaceResult.PENDING, "fake"))
        return OpenedFace(verify_id, f"{self._page}?certify_id={verify_id}" if self._page else None)

    async def outcome(self, *, number: str, verify_id: str, subject: FaceSubject) -> FaceOutcome:
        check = self._checks.get(verify_id)
        if check is None or (check.number, check.subject) != (number, subject):
            return FaceOutcome(FaceResult.FAILED, "fake", FaceFailure.OTHER)
        return check.outcome
