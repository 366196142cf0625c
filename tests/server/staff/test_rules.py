from datetime import UTC, datetime, timedelta

import pytest

from server.staff.errors import StaffInvalid
from server.staff.rules import (
    PERMISSIONS,
    Failures,
    Role,
    after_failure,
    check_password,
    check_roles,
    check_username,
    permissions_of,
    seconds_locked,
    username_key,
)

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def test_no_permission_belongs_to_two_roles() -> None:
    held = [permission for role in Role for permission in PERMISSIONS[role]]
    assert len(held) == len(set(held))
    both = PERMISSIONS[Role.OFFICER] | PERMISSIONS[Role.OPERATOR]
    assert permissions_of(["officer", "operator"]) == both | {"own.session"}


@pytest.mark.parametrize(
    ("roles", "right"),
    [
        (["officer"], True),
        (["officer", "operator"], True),
        (["auditor"], True),
        (["admin", "admin"], True),
        ([], False),
        (["king"], False),
        (["admin", "auditor"], False),
        (["operator", "admin"], False),
        (["operator", "auditor"], False),
        (["officer", "auditor"], False),
        (["officer", "admin"], False),
        (["operator", "finance"], True),
        (["finance", "admin"], False),
        (["finance", "auditor"], False),
        (["officer", "clerk"], True),
        (["clerk", "admin"], False),
        (["clerk", "auditor"], False),
    ],
)
def test_which_roles_one_person_may_hold(roles: list[str], right: bool) -> None:  # noqa: FBT001 - a table
    if right:
        assert check_roles(roles) == set(roles)
        return
    with pytest.raises(StaffInvalid):
        check_roles(roles)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("Correct-horse-7", None),
        ("correcthorse77!", None),
        ("密码Correct-horse", None),
        ("Short-1", "PASSWORD_LENGTH"),
        ("A-1" + "a" * 126, "PASSWORD_LENGTH"),
        ("correcthorse77", "PASSWORD_TOO_SIMPLE"),
        ("alllowercase", "PASSWORD_TOO_SIMPLE"),
        ("My-Li.Jian-2026", "PASSWORD_HAS_USERNAME"),
    ],
)
def test_what_a_password_must_be(password: str, code: str | None) -> None:
    if code is None:
        check_password(password, username="li.jian")
        return
    with pytest.raises(StaffInvalid) as refused:
        check_password(password, username="li.jian")
    assert [(error.field, error.code) for error in refused.value.errors] == [("password", code)]
    assert password not in str(refused.value.errors)


@pytest.mark.parametrize("username", ["ab", "-abc", "a b c", "李建国", "a" * 33, ""])
def test_what_a_username_cannot_be(username: str) -> None:
    with pytest.raises(StaffInvalid):
        check_username(username)


def test_usernames_are_the_same_in_any_case_and_width() -> None:
    check_username("Li.Jian-7_x")
    assert username_key(" LI.Jian ") == username_key("ｌｉ．ｊｉａｎ") == "li.jian"


def test_the_fifth_failure_locks_for_half_an_hour() -> None:
    failures = Failures()
    for _ in range(4):
        failures = after_failure(failures, now=NOW)
        assert seconds_locked(failures, now=NOW) == 0
    failures = after_failure(failures, now=NOW)
    assert seconds_locked(failures, now=NOW) == 1801
    assert seconds_locked(failures, now=NOW + timedelta(minutes=29, seconds=59)) == 2
    assert seconds_locked(failures, now=NOW + timedelta(minutes=30)) == 0
    assert after_failure(failures, now=NOW + timedelta(minutes=31)).count == 1


def test_old_failures_are_forgotten() -> None:
    failures = after_failure(Failures(4, NOW), now=NOW + timedelta(minutes=30))
    assert (failures.count, failures.locked_until) == (1, None)
