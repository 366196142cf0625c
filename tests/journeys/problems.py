"""Refusals as phones see them."""

import re
from typing import Any

from sandbox.phones.caller import Caller

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def refused(calls: Caller, method: str, path: str, *, status: int, code: str, **more: Any) -> dict[str, Any]:
    """The problem document of a call that has to be refused so: a stable code, and Chinese to read."""
    answer = calls.ask(f"be refused: {code}", method, path, expect=status, **more)
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    assert problem["type"] == f"urn:yichuang:problem:{code.lower()}"
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    for sentence in (problem["title"], problem["detail"], *(each["message"] for each in problem.get("errors", []))):
        assert _CHINESE.search(sentence), f"not for a resident: {sentence}"
    return problem


def fields(problem: dict[str, Any]) -> dict[str, str]:
    """Field -> code of what is wrong in it."""
    return {each["field"]: each["code"] for each in problem["errors"]}
