import pytest

from kit.errors import Kind, Problem
from kit.idempotency.errors import StillRunning
from kit.web.errors_docs import errors_markdown, problems_of
from kit.web.problem import Internal


class Blocked(Problem):
    code = "A_BLOCKED"
    kind = Kind.FORBIDDEN
    title = "不能办理"


class BlockedToo(Problem):
    code = "A_BLOCKED"


def test_each_problem_is_a_row_in_order_of_code() -> None:
    page = errors_markdown([StillRunning, Blocked])
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows[0].startswith("| `A_BLOCKED` | 403 | 不能办理 |")
    assert rows[1] == f"| `STILL_RUNNING` | 409 | {StillRunning.title} | `kit.idempotency` |"


def test_our_own_fault_is_a_500() -> None:
    assert "| `INTERNAL` | 500 |" in errors_markdown([Internal])


def test_a_code_that_says_different_things_is_refused() -> None:
    with pytest.raises(ValueError, match="A_BLOCKED"):
        errors_markdown([Blocked, BlockedToo])


def test_a_code_that_says_the_same_in_two_places_is_one_row() -> None:
    class Elsewhere(Blocked):
        __module__ = "server.elsewhere.errors"

    rows = [line for line in errors_markdown([Blocked, Elsewhere]).splitlines() if line.startswith("| `")]
    assert len(rows) == 1
    assert rows[0].endswith(f"`server.elsewhere`, `{Blocked.__module__}` |")


def test_the_problems_of_a_package_are_those_that_its_modules_define() -> None:
    found = problems_of(["kit"])
    assert {StillRunning, Internal} <= set(found)
    assert Problem not in found
    assert [problem.code for problem in found] == sorted(problem.code for problem in found)
