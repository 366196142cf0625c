from datetime import UTC, datetime, timedelta

import pytest

from kit.errors import Problem
from server.identity import errors
from server.identity.rules import (
    Binding,
    CheckFacts,
    FaceAction,
    FaceFailure,
    FaceState,
    Level,
    binding,
    check_may_open,
    state_text,
    to_consume,
)

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
REAL, CONFIRM = FaceAction.REAL_NAME, FaceAction.CONFIRM_APPLICATION


def test_every_level_and_every_state_has_its_sentence() -> None:
    assert [level.text for level in Level] == ["已登录", "已绑定手机号", "已实名认证"]
    texts = {state_text(FaceState.FAILED, failure) for failure in FaceFailure}
    assert len(texts) == len(FaceFailure)
    assert state_text(FaceState.FAILED, None) == state_text(FaceState.FAILED, FaceFailure.OTHER)
    assert state_text(FaceState.PASSED, None) == "人脸核验通过"
    assert {state_text(state, None) for state in FaceState} >= {"等待完成人脸核验", "正在发起人脸核验"}


@pytest.mark.parametrize(
    ("action", "level", "bound", "asked", "error"),
    [
        (REAL, Level.WALLET, None, "a", None),
        (REAL, Level.PHONE, None, "a", None),
        (REAL, Level.REAL_NAME, "a", "a", None),
        (REAL, Level.REAL_NAME, "a", "b", errors.IdentityFixed),
        (CONFIRM, Level.WALLET, None, None, errors.RealNameRequired),
        (CONFIRM, Level.PHONE, None, None, errors.RealNameRequired),
        (CONFIRM, Level.REAL_NAME, "a", None, None),
    ],
)
def test_who_may_open_a_check(
    action: FaceAction, level: Level, bound: str | None, asked: str | None, error: type[Problem] | None
) -> None:
    if error is None:
        check_may_open(action, level=level, bound=bound, asked=asked)
        return
    with pytest.raises(error):
        check_may_open(action, level=level, bound=bound, asked=asked)


def facts(
    *, state: str = "passed", minutes: float = 1, consumed_by: str | None = None, action: str = "confirm_application"
) -> CheckFacts:
    return CheckFacts(action, "d" * 64, state, NOW + timedelta(minutes=minutes), consumed_by)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (facts(), True),
        (facts(consumed_by="c1"), False),
        (facts(consumed_by="c1", minutes=-60), False),
        (facts(consumed_by="c2"), errors.FaceCheckUsed),
        (facts(state="opened"), errors.FaceCheckNotPassed),
        (facts(state="failed"), errors.FaceCheckNotPassed),
        (facts(minutes=0), errors.FaceCheckExpired),
        (facts(action="real_name"), errors.FaceCheckMismatch),
    ],
)
def test_what_a_check_may_be_used_for(check: CheckFacts, expected: bool | type[Problem]) -> None:  # noqa: FBT001 - a table
    def use() -> bool:
        return to_consume(check, action="confirm_application", digest="d" * 64, consumed_by="c1", now=NOW)

    if isinstance(expected, bool):
        assert use() is expected
        return
    with pytest.raises(expected):
        use()


def test_a_check_of_another_digest_is_refused_even_when_consumed_by_the_same() -> None:
    with pytest.raises(errors.FaceCheckMismatch):
        to_consume(facts(consumed_by="c1"), action="confirm_application", digest="e" * 64, consumed_by="c1", now=NOW)


@pytest.mark.parametrize(
    ("holder", "uses", "expected"),
    [
        (None, False, Binding.BIND),
        ("r1", True, Binding.BIND),
        ("r2", True, Binding.REFUSE),
        ("r2", False, Binding.MERGE),
    ],
)
def test_one_person_is_one_resident(holder: str | None, uses: bool, expected: Binding) -> None:  # noqa: FBT001 - a table
    given = {"resident_id": "r1", "holder_id": holder, "holder_uses_wallet": uses}
    for bound in (None, "a"):
        assert binding(bound=bound, proven="a", **given) is expected  # type: ignore[arg-type]  # a table
    assert binding(bound="b", proven="a", **given) is Binding.FIXED  # type: ignore[arg-type]  # a table
