from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from kit.errors import Problem
from server.applications import errors, rules
from server.applications.records import Owner, PartyDraft
from server.applications.requirements import Requirements
from server.applications.states import State, TrackState
from server.terms.codes import PartyRole
from server.terms.share import Share
from tests.factories.applications import party, people, requirements, sale, unit

NOW = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
PEOPLE = people()
SELLER, SECOND, BUYER, OTHER = PEOPLE
HALF = Share.of(1, 2)


def asked() -> Requirements:
    return requirements(sale(PEOPLE))


@pytest.mark.parametrize("price", [0, -1])
def test_a_price_is_more_than_nothing(price: int):
    with pytest.raises(errors.PriceInvalid):
        rules.check_price(price)
    rules.check_price(1)


def _buyer(**changes: Any) -> PartyDraft:
    return party(BUYER, PartyRole.RIGHT_HOLDER, **changes)


@pytest.mark.parametrize(
    ("parties", "refusal"),
    [
        ([party(SELLER), _buyer()], None),
        ([party(SELLER), party(SECOND), _buyer(share=Share.whole())], None),
        ([party(SELLER, share=HALF), party(SECOND, share=HALF), _buyer()], None),
        ([party(SELLER), _buyer(), _buyer()], errors.PartyRepeated),
        ([party(SELLER)], errors.PartiesIncomplete),
        ([party(SELLER, role=PartyRole.RIGHT_HOLDER)], errors.PartiesIncomplete),
        ([party(SECOND), _buyer()], errors.OpenerNotAParty),
        ([party(SELLER), _buyer(share=HALF)], errors.SharesNotWhole),
        ([party(SELLER, share=HALF), party(SECOND), _buyer()], errors.SharesNotWhole),
        ([party(SELLER), _buyer(share=HALF), party(OTHER, PartyRole.RIGHT_HOLDER)], errors.SharesNotWhole),
    ],
)
def test_the_parties_fit_together(parties: list[PartyDraft], refusal: type[Problem] | None):
    if refusal is None:
        rules.check_parties(parties, opened_by=SELLER.resident_id)
        return
    with pytest.raises(refusal):
        rules.check_parties(parties, opened_by=SELLER.resident_id)


JOINT = unit().owners
BY_SHARES = (replace(JOINT[0], share=Share.of(7, 10)), replace(JOINT[1], share=Share.of(3, 10)))


@pytest.mark.parametrize(
    ("owners", "co_ownership", "parties", "same"),
    [
        (JOINT, "joint", [party(SELLER), party(SECOND)], True),
        (JOINT, "joint", [party(SELLER, share=HALF), party(SECOND, share=HALF)], True),
        (JOINT, "joint", [party(SELLER)], False),
        (JOINT, "joint", [party(SELLER), party(OTHER)], False),
        (JOINT, "joint", [party(SELLER), party(SECOND, name="李婧")], False),
        (BY_SHARES, "by_shares", [party(SELLER, share=Share.of(7, 10)), party(SECOND, share=Share.of(3, 10))], True),
        (BY_SHARES, "by_shares", [party(SELLER, share=HALF), party(SECOND, share=HALF)], False),
    ],
)
def test_the_sellers_are_exactly_the_registered_owners(
    owners: tuple[Owner, ...], co_ownership: str, parties: list[PartyDraft], *, same: bool
):
    everybody = [*parties, _buyer()]
    if same:
        rules.check_owners(everybody, owners, co_ownership=co_ownership)
        return
    with pytest.raises(errors.OwnersDiffer):
        rules.check_owners(everybody, owners, co_ownership=co_ownership)


def test_household_and_marriage_proofs_are_asked_of_a_family_that_buys_a_home():
    missing = rules.missing_materials(asked(), parties=["a", "b", "c"], uploaded={("M02", "a"), ("M08", None)})
    assert [(each.code, each.party_id) for each in missing] == [
        ("M02", "b"),
        ("M02", "c"),
        ("M07", None),
        ("M10", None),
        ("M10H", None),
    ]


@pytest.mark.parametrize(
    ("files", "filled"),
    [
        ([], set()),
        ([("M07", None, "upload"), ("M02", "a", "upload")], {("M07", None), ("M02", "a")}),
        ([("M10H", "c", "shared")], {("M10H", None)}),
        ([("M10H", "a", "shared")], set()),
        ([("M10", "a", "shared"), ("M10", "b", "shared")], set()),
        ([("M10", "a", "shared"), ("M10", "b", "shared"), ("M10", "c", "shared")], {("M10", None)}),
        ([("M10", "a", "shared"), ("M10", None, "upload")], {("M10", None)}),
        ([("M07", "a", "shared")], set()),
    ],
)
def test_a_department_fills_a_material_once_it_answered_about_everybody(
    files: list[tuple[str, str | None, str]], filled: set[tuple[str, str | None]]
):
    assert rules.filled_slots(asked(), parties=["a", "b", "c"], files=files) == filled


def test_where_each_party_brings_their_own_the_department_does_too():
    requirements = asked()
    identity = replace(requirements.materials[1], source_code="police_household", source_parties=(1,))
    assert (identity.code, identity.per_party) == ("M02", True)
    each = replace(requirements, materials=(identity,))
    files = [("M02", "b", "shared"), ("M02", "c", "shared")]
    assert rules.filled_slots(each, parties=["a", "b", "c"], files=files) == {("M02", "b")}


def test_missing_materials_are_named_with_whose_they_are():
    missing = rules.missing_materials(asked(), parties=["a"], uploaded=set())
    with pytest.raises(errors.MaterialsMissing) as refused:
        rules.check_materials(missing, {"a": "张*"})
    told = {error.field: error.message for error in refused.value.errors}
    assert told["materials.M02.a"] == "请上传张*的“申请人身份证明”"
    assert told["materials.M07"] == "请上传“不动产权证书”"
    rules.check_materials((), {})


def test_questions_go_to_those_they_are_meant_for():
    seller = {question.code for question in rules.questions_for(asked(), ["obligor"])}
    buyer = {question.code for question in rules.questions_for(asked(), ["right_holder"])}
    assert "co_owners_consent" in seller - buyer
    assert "burdens_known" in buyer - seller
    assert "ward_benefit" not in seller | buyer


def test_answers_are_complete_and_among_the_choices():
    questions = rules.questions_for(asked(), ["obligor"])
    good = {question.code: question.choices[-1].code for question in questions}
    rules.check_answers(questions, good)
    bad = {**good, "lease": "perhaps", "colour": "red"}
    del bad["habitation"]
    with pytest.raises(errors.InquiryIncomplete) as refused:
        rules.check_answers(questions, bad)
    assert {(error.field, error.code) for error in refused.value.errors} == {
        ("answers.habitation", "ANSWER_MISSING"),
        ("answers.lease", "ANSWER_INVALID"),
        ("answers.colour", "ANSWER_NOT_ASKED"),
    }


ENDED = [State.PARTY_REFUSED, State.REFUSED, State.WITHDRAWN, State.EXPIRED]


@pytest.mark.parametrize("state", list(State))
def test_what_may_be_done_in_which_state(state: State):
    def may(check: Any, *given: Any, **named: Any) -> bool:
        try:
            check(state, *given, **named)
        except Problem:
            return False
        return True

    assert may(rules.check_editable) == (state is State.DRAFT)
    assert may(rules.check_awaiting) == (state is State.AWAITING_CONFIRMATION)
    assert may(rules.check_submittable, number=None) == (state is State.AWAITING_CONFIRMATION)
    assert may(rules.check_reopenable) == (state in {State.AWAITING_CONFIRMATION, State.CORRECTION_ASKED})
    early = {State.DRAFT, State.AWAITING_CONFIRMATION, State.SUBMITTED, State.CORRECTION_ASKED}
    assert may(rules.check_withdrawable, None) == (state in early)
    assert not may(rules.check_withdrawable, "payment")
    assert rules.registry_knows(state, "SJ-1") == (state in early)
    assert not rules.registry_knows(state, None)
    assert rules.decidable(state) == (state in {State.SUBMITTED, State.CORRECTION_ASKED})
    assert rules.refusable(state, "SJ-1") == (state in early | {State.ACCEPTED})
    assert rules.has_case(state) == (state in {State.ACCEPTED, State.ENTERED, State.CERTIFICATE_MADE})


@pytest.mark.parametrize("state", [State.SUBMITTED, State.ACCEPTED, State.ENTERED])
def test_a_second_submission_is_told_so(state: State):
    with pytest.raises(errors.AlreadySubmitted) as refused:
        rules.check_submittable(state, number="SJ-1")
    assert refused.value.extra == {"number": "SJ-1"}


@pytest.mark.parametrize("number", [None, "SJ-1"])
def test_a_draft_is_not_submitted(number: str | None):
    with pytest.raises(errors.NotAwaitingConfirmation):
        rules.check_submittable(State.DRAFT, number=number)


@pytest.mark.parametrize(
    ("state", "expires_at", "hold", "expires"),
    [
        (State.DRAFT, NOW, None, True),
        (State.AWAITING_CONFIRMATION, NOW - timedelta(days=1), None, True),
        (State.AWAITING_CONFIRMATION, NOW + timedelta(seconds=1), None, False),
        (State.AWAITING_CONFIRMATION, NOW, "payment", False),
        (State.DRAFT, None, None, False),
        (State.SUBMITTED, NOW, None, False),
    ],
)
def test_what_expires(state: State, expires_at: datetime | None, hold: str | None, *, expires: bool):
    assert rules.may_expire(state, expires_at=expires_at, hold=hold, now=NOW) is expires


@pytest.mark.parametrize(
    ("holder", "expires_at", "step"),
    [
        (None, None, rules.ClaimStep.TAKE),
        ("mine", NOW - timedelta(days=1), rules.ClaimStep.RENEW),
        ("theirs", NOW, rules.ClaimStep.TAKE_OVER),
        ("theirs", NOW + timedelta(seconds=1), rules.ClaimStep.REFUSE),
    ],
)
def test_who_may_claim_a_unit(holder: str | None, expires_at: datetime | None, step: rules.ClaimStep):
    assert rules.claim_step(holder, application_id="mine", expires_at=expires_at, now=NOW) is step


def test_the_registrys_words_for_a_track():
    assert rules.track_state("passed") is TrackState.DONE
    assert rules.track_state("rejected") is TrackState.FAILED
    assert rules.track_state("waived") is TrackState.WAIVED
    with pytest.raises(ValueError, match="lost"):
        rules.track_state("lost")


def test_the_fee_falls_due_where_the_business_says():
    assert rules.fee_falls_due(asked(), "review_passed")
    assert not rules.fee_falls_due(asked(), "acceptance")
    assert not rules.fee_falls_due(replace(asked(), tracks=()), "review_passed")


def test_receipt_numbers_tell_day_and_district():
    assert rules.receipt_number(district="320114", on=date(2026, 3, 16), count=7) == "SJ-20260316-320114-000007"


def test_requirements_survive_their_json():
    assert Requirements.from_json(asked().to_json()) == asked()
    assert asked().role_name("obligor") == "卖方"
    assert asked().role_name("stranger") == "stranger"
    assert asked().material("M99") is None
