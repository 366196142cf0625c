from datetime import date
from typing import Any

import pytest

from server.registry import errors, rules
from server.registry.package import Party
from server.registry.rules import Blocker, CaseState
from server.terms.codes import CoOwnership, HolderType


def party(role: str = "right_holder", share: tuple[int, int] | None = None) -> Party:
    return Party(role, "person", "王强", "resident_id", "1", "", *(share or (None, None)))


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("acceptance", {"received"}),
        ("correction", {"received"}),
        ("refusal", {"received", "correction_asked", "accepted"}),
        ("review", {"accepted"}),
        ("entry", {"accepted"}),
        ("withdrawal", {"received", "correction_asked", "accepted"}),
    ],
)
def test_each_step_is_taken_only_from_its_states(action: str, allowed: set[str]) -> None:
    for state in CaseState:
        if state in allowed:
            rules.check_state(action, state)
        else:
            with pytest.raises(errors.CaseStateWrong) as caught:
                rules.check_state(action, state)
            assert rules.state_text(state) in caught.value.detail


@pytest.mark.parametrize(
    ("state", "review", "step"),
    [
        ("received", "not_started", "acceptance"),
        ("correction_asked", "not_started", None),
        ("accepted", "open", "review"),
        ("accepted", "failed", "review"),
        ("accepted", "done", None),
        ("accepted", None, None),
        ("entered", "done", None),
    ],
)
def test_the_step_that_takes_an_opinion(state: str, review: str | None, step: str | None) -> None:
    assert rules.step_of(state, review=review) == step


def test_a_version_is_checked_only_when_it_is_given() -> None:
    rules.check_version(None, 3)
    rules.check_version(3, 3)
    with pytest.raises(errors.CaseStale):
        rules.check_version(2, 3)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("TAX_NOT_CLEARED", errors.TaxNotCleared),
        ("REVIEW_NOT_PASSED", errors.ReviewNotPassed),
        ("FEE_NOT_SETTLED", errors.FeeNotSettled),
        ("NOTICE_RUNNING", errors.TrackOpen),
    ],
)
def test_the_first_blocker_gives_the_code_and_all_are_named(code: str, error: type[errors.TrackOpen]) -> None:
    with pytest.raises(error) as caught:
        rules.check_unblocked([Blocker("one", code, "等一等"), Blocker("two", "X", "再等")])
    assert type(caught.value) is error
    assert caught.value.detail == "等一等"
    assert caught.value.extra == {"waits_for": ["one", "two"]}


def test_nothing_blocks_when_no_track_is_open() -> None:
    rules.check_unblocked([])


def test_parties_are_told_apart_by_role() -> None:
    seller, buyer, agent = party("obligor"), party(), party("agent")
    assert rules.obligors([seller, buyer, agent]) == (seller,)
    assert rules.right_holders([seller, buyer, agent]) == (buyer,)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([None], CoOwnership.SOLE),
        ([(1, 1)], CoOwnership.SOLE),
        ([None, None], CoOwnership.JOINT),
        ([(1, 2), (1, 2)], CoOwnership.BY_SHARES),
        ([(1, 3), (1, 3), (1, 3)], CoOwnership.BY_SHARES),
    ],
)
def test_co_ownership_follows_from_the_shares(shares: list[Any], expected: CoOwnership) -> None:
    assert rules.co_ownership([party(share=share) for share in shares]) is expected


@pytest.mark.parametrize("shares", [[], [(1, 2)], [(1, 2), None], [(1, 2), (1, 3)]])
def test_shares_that_are_not_the_whole_are_refused(shares: list[Any]) -> None:
    with pytest.raises(errors.SharesWrong):
        rules.co_ownership([party(share=share) for share in shares])


@pytest.mark.parametrize("obligors", [{"a"}, {"a", "b", "c"}, {"c"}, set()])
def test_exactly_the_registered_owners_dispose(obligors: set[str]) -> None:
    rules.check_owners(registered=["a", "b"], obligors=["b", "a"])
    with pytest.raises(errors.RegisterChanged):
        rules.check_owners(registered=["a", "b"], obligors=obligors)


def test_numbers_and_scopes() -> None:
    assert rules.case_number(day=date(2026, 3, 16), district="320114", serial=123) == "20260316-320114-000123"
    assert rules.material_scope("abc") == "registry-abc"
    assert rules.holder_type("person") is HolderType.PERSON
    assert rules.holder_type("organisation") is HolderType.ENTERPRISE
    assert [rules.track_text(state) for state in ("not_started", "open", "done", "waived", "failed")] == [
        "未开始",
        "办理中",
        "已办结",
        "无需办理",
        "未通过",
    ]


def test_the_voucher_counts_each_material_once() -> None:
    voucher = rules.acceptance_voucher(
        business="存量房转移",
        case_number="20260316-320114-000001",
        accepted_at="2026-03-16T12:00:00+08:00",
        promised_on="2026-03-23",
        locations=["雨花台区"],
        materials=[("M02", "身份证明"), ("M08", "买卖合同"), ("M02", "身份证明")],
        officer="007",
    )
    assert voucher["materials"] == [
        {"code": "M02", "name": "身份证明", "copies": 2},
        {"code": "M08", "name": "买卖合同", "copies": 1},
    ]
    assert (voucher["case_number"], voucher["promised_on"]) == ("20260316-320114-000001", "2026-03-23")
