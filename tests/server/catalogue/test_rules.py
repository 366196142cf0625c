from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from server.catalogue.content import (
    CaseFacts,
    Effect,
    FeeCase,
    FeeSchedule,
    Gate,
    Output,
    PropertyUse,
    Standing,
    TrackState,
)
from server.catalogue.loading import (
    shipped_businesses,
    shipped_calendar,
    shipped_conflicts,
    shipped_dictionaries,
    shipped_fees,
)
from server.catalogue.rules import (
    certificates_made,
    conflict,
    deadline,
    dictionary_entry,
    in_force,
    is_in_force,
    join_blockers,
    questions_for,
    registration_fee,
    required_materials,
    unexpected_answers,
)
from server.terms.codes import CoOwnership, PartyRole, RegistrationType

RESALE = shipped_businesses()[0]
FEES = shipped_fees()
CONFLICTS = shipped_conflicts()
CALENDAR = shipped_calendar()
TODAY = date(2026, 11, 21)
SPOUSES_SELL = CaseFacts(co_owned=True, family_count=True, parties=3)
HOME = PropertyUse.RESIDENTIAL
SHOP = PropertyUse.OTHER
PARKING = PropertyUse.PARKING
TRANSFER = RegistrationType.TRANSFER


def codes(facts: CaseFacts) -> set[str]:
    return {material.code for material in required_materials(RESALE, facts)}


ALWAYS = {"M01", "M02", "M03", "M04", "M07", "M08", "M09"}


@pytest.mark.parametrize(
    ("facts", "more"),
    [
        (CaseFacts(), set()),
        (SPOUSES_SELL, {"M10", "M10H"}),
        (CaseFacts(co_owned=True), {"M10"}),
        (CaseFacts(bought_together=True), {"M10"}),
        (CaseFacts(agent=True), {"M05"}),
        (CaseFacts(minor=True), {"M06"}),
        (CaseFacts(minor_disposes=True), {"M06"}),
        (CaseFacts(mortgaged=True), set()),
        (CaseFacts(mortgaged=True, transfer_restricted=True), {"M25"}),
        (CaseFacts(mortgaged=True, carried_mortgage=True), {"M25"}),
    ],
)
def test_required_materials(facts: CaseFacts, more: set[str]) -> None:
    assert codes(facts) == ALWAYS | more


def test_questions_depend_on_role_and_facts() -> None:
    raised = questions_for(RESALE, SPOUSES_SELL)
    seller = {question.code for question in raised if PartyRole.OBLIGOR in question.asked}
    buyer = {question.code for question in raised if PartyRole.RIGHT_HOLDER in question.asked}
    assert {"true_intent", "co_ownership", "co_owners_consent", "mortgage"} <= seller
    assert "shares_agreed" not in seller
    assert "co_ownership" not in buyer
    assert {"true_intent", "future_ownership", "burdens_known"} <= buyer
    assert "co_owners_consent" not in {question.code for question in questions_for(RESALE, CaseFacts())}


def test_unexpected_answers_stand_out() -> None:
    raised = questions_for(RESALE, CaseFacts())
    questions = [question for question in raised if PartyRole.RIGHT_HOLDER in question.asked]
    good = {"true_intent": "yes", "future_ownership": "sole", "burdens_known": "yes", "other_matters": "no"}
    assert unexpected_answers(questions, good) == ()
    bad = {"true_intent": "perhaps", "burdens_known": "no", "other_matters": "no", "mortgage": "none"}
    assert {question.code for question in unexpected_answers(questions, bad)} == {"true_intent", "burdens_known"}


FEE_CASES: list[tuple[FeeCase, int, str]] = [
    (FeeCase(RegistrationType.SEIZURE, HOME, certificates=0), 0, "1-no-charge"),
    (FeeCase(RegistrationType.CANCELLATION, SHOP, certificates=0), 0, "1-no-charge"),
    (FeeCase(RegistrationType.PRE_NOTICE, HOME, certificates=0), 0, "1-no-charge"),
    (FeeCase(RegistrationType.CORRECTION, HOME, certificates=3, registry_error=True), 0, "1-no-charge"),
    (FeeCase(RegistrationType.CORRECTION, HOME), 0, "2-change-correction"),
    (FeeCase(RegistrationType.CHANGE, HOME), 0, "2-change-correction"),
    (FeeCase(RegistrationType.CHANGE, HOME, certificates=2), 1000, "2-change-correction"),
    (FeeCase(TRANSFER, HOME, policy_housing=True), 0, "3-policy-housing"),
    (FeeCase(TRANSFER, SHOP, small_micro_payer=True), 0, "4-exempt"),
    (FeeCase(RegistrationType.FIRST, SHOP, agricultural=True), 0, "4-exempt"),
    (FeeCase(TRANSFER, SHOP, administrative_renaming=True), 0, "4-exempt"),
    (FeeCase(TRANSFER, SHOP, collective_reform=True), 0, "4-exempt"),
    (FeeCase(TRANSFER, PARKING, own_certificate=False), 0, "4-exempt"),
    (FeeCase(RegistrationType.FIRST, HOME, poverty_relocation=True), 0, "5-poverty-relocation"),
    (FeeCase(RegistrationType.OTHER, HOME, reissue=True), 1000, "6-certificate-only"),
    (FeeCase(TRANSFER, HOME, certificates=2, between_spouses=True), 2000, "6-certificate-only"),
    (FeeCase(RegistrationType.FIRST, HOME, homestead=True), 1000, "6-certificate-only"),
    (FeeCase(RegistrationType.OBJECTION, HOME, certificates=0), 4000, "7-half-residential"),
    (FeeCase(RegistrationType.OBJECTION, PARKING, certificates=0), 4000, "7-half-parking"),
    (FeeCase(RegistrationType.OBJECTION, SHOP, certificates=0), 27500, "7-half-other"),
    (FeeCase(TRANSFER, HOME, half_by_statute=True), 4000, "7-half-residential"),
    (FeeCase(TRANSFER, PARKING), 8000, "8-parking"),
    (FeeCase(TRANSFER, HOME), 8000, "9-residential"),
    (FeeCase(TRANSFER, HOME, certificates=2), 9000, "9-residential"),
    (FeeCase(TRANSFER, SHOP), 55000, "9-other"),
    (FeeCase(RegistrationType.FIRST, SHOP, certificates=0, items=3), 165000, "9-other"),
]


@pytest.mark.parametrize(("case", "fen", "rule"), FEE_CASES)
def test_registration_fee(case: FeeCase, fen: int, rule: str) -> None:
    fee = registration_fee(FEES, case, on=TODAY, district="320114")
    assert (fee.total_fen, fee.rule_id) == (fen, rule)
    assert all(line.amount_fen > 0 for line in fee.lines)


def test_fee_lines_of_a_sale_to_two_by_shares() -> None:
    made = certificates_made(RESALE.output, holders=2, co_ownership=CoOwnership.BY_SHARES)
    fee = registration_fee(FEES, FeeCase(TRANSFER, HOME, certificates=made), on=TODAY, district="320114")
    assert [(line.code, line.quantity, line.unit_fen) for line in fee.lines] == [
        ("registration", 1, 8000),
        ("extra_certificate", 1, 1000),
    ]


@pytest.mark.parametrize(
    ("output", "holders", "co_ownership", "made"),
    [
        (Output.TITLE_CERTIFICATE, 1, CoOwnership.SOLE, 1),
        (Output.TITLE_CERTIFICATE, 2, CoOwnership.JOINT, 1),
        (Output.TITLE_CERTIFICATE, 3, CoOwnership.BY_SHARES, 3),
        (Output.REGISTRATION_PROOF, 3, CoOwnership.BY_SHARES, 0),
        (Output.NONE, 1, CoOwnership.SOLE, 0),
    ],
)
def test_certificates_made(output: Output, holders: int, co_ownership: CoOwnership, made: int) -> None:
    assert certificates_made(output, holders=holders, co_ownership=co_ownership) == made


def test_a_district_may_waive_for_a_while() -> None:
    general = FEES.rules[-1]
    waiver = replace(
        general,
        id="local",
        base_fen=0,
        districts=frozenset({"320105"}),
        effective_from=date(2026, 1, 1),
        effective_to=date(2027, 1, 1),
    )
    schedule = FeeSchedule((waiver, general))
    case = FeeCase(TRANSFER, SHOP)
    assert registration_fee(schedule, case, on=TODAY, district="320105").rule_id == "local"
    assert registration_fee(schedule, case, on=TODAY, district="320114").rule_id == "9-other"
    assert registration_fee(schedule, case, on=date(2027, 1, 1), district="320105").rule_id == "9-other"
    assert registration_fee(schedule, case, on=date(2015, 1, 1), district="320105").lines == ()


DONE = TrackState.DONE


@pytest.mark.parametrize(
    ("states", "gate", "waited_for"),
    [
        ({}, Gate.ENTRY, ["review", "tax"]),
        ({"review": DONE}, Gate.ENTRY, ["tax"]),
        ({"review": DONE, "fee": DONE, "tax": TrackState.OPEN}, Gate.ENTRY, ["tax"]),
        ({"review": TrackState.FAILED, "tax": DONE}, Gate.ENTRY, ["review"]),
        ({"review": DONE, "tax": TrackState.WAIVED}, Gate.ENTRY, []),
        ({"review": DONE, "tax": DONE}, Gate.CERTIFICATE, ["fee"]),
        ({"review": DONE, "tax": DONE, "fee": TrackState.WAIVED}, Gate.HANDOVER, []),
        ({}, Gate.HANDOVER, ["review", "tax", "fee"]),
    ],
)
def test_entry_waits_for_review_and_tax_but_not_for_the_fee(
    states: dict[str, TrackState], gate: Gate, waited_for: list[str]
) -> None:
    assert [track.code for track in join_blockers(RESALE, states, gate)] == waited_for


def test_a_city_may_make_the_entry_wait_for_the_fee() -> None:
    tracks = tuple(replace(track, blocks=Gate.ENTRY) for track in RESALE.tracks)
    blockers = join_blockers(replace(RESALE, tracks=tracks), {"review": DONE, "tax": DONE})
    assert [track.blocked_code for track in blockers] == ["FEE_NOT_SETTLED"]


def test_a_track_that_blocks_nothing_is_never_waited_for() -> None:
    tracks = tuple(replace(track, blocks=Gate.NOTHING) for track in RESALE.tracks)
    assert join_blockers(replace(RESALE, tracks=tracks), {}, Gate.HANDOVER) == ()


@pytest.mark.parametrize(
    ("standing", "existing", "incoming", "effect", "stops"),
    [
        (Standing.RUNNING, "transfer", "transfer", Effect.REFUSE, False),
        (Standing.RUNNING, "transfer", "seizure", Effect.ALLOW, True),
        (Standing.RUNNING, "seizure", "transfer", Effect.REFUSE, False),
        (Standing.RUNNING, "seizure", "seizure", Effect.QUEUE, False),
        (Standing.RUNNING, "mortgage_cancellation", "transfer", Effect.QUEUE, False),
        (Standing.RUNNING, "transfer", "objection", Effect.ALLOW, False),
        (Standing.REGISTERED, "seizure", "transfer", Effect.REFUSE, False),
        (Standing.REGISTERED, "seizure", "seizure", Effect.QUEUE, False),
        (Standing.REGISTERED, "first_mortgage", "transfer", Effect.ALLOW, False),
        (Standing.REGISTERED, "objection", "transfer", Effect.ALLOW, False),
        (Standing.REGISTERED, "pre_notice", "transfer", Effect.REFUSE, False),
    ],
)
def test_conflicts(standing: Standing, existing: str, incoming: str, effect: Effect, *, stops: bool) -> None:
    row = conflict(CONFLICTS, existing=existing, incoming=incoming, standing=standing)
    assert (row.effect, row.stops_existing) == (effect, stops)
    assert row.reason.endswith("。")


@pytest.mark.parametrize("standing", list(Standing))
def test_every_pair_has_an_answer_and_courts_are_never_refused(standing: Standing) -> None:
    for existing in CONFLICTS.kinds:
        for incoming in CONFLICTS.kinds:
            row = conflict(CONFLICTS, existing=existing, incoming=incoming, standing=standing)
            if incoming in {"seizure", "seizure_release"}:
                assert row.effect is not Effect.REFUSE


@pytest.mark.parametrize(
    ("accepted", "excluded", "last_day"),
    [
        (date(2026, 2, 13), 0, date(2026, 2, 27)),
        (date(2026, 2, 13), 2, date(2026, 3, 2)),
        (date(2026, 11, 23), 0, date(2026, 11, 30)),
        (date(2026, 9, 30), 0, date(2026, 10, 13)),
    ],
)
def test_deadline(accepted: date, excluded: int, last_day: date) -> None:
    found = deadline(RESALE, accepted_on=accepted, calendar=CALENDAR, excluded_working_days=excluded)
    assert found == last_day


def test_the_version_in_force() -> None:
    old = replace(RESALE, version=1, effective_from=date(2025, 1, 1), effective_to=date(2026, 6, 1))
    new = replace(RESALE, version=2, effective_from=date(2026, 3, 1), effective_to=None)
    assert is_in_force(old, date(2026, 5, 31))
    assert not is_in_force(old, date(2026, 6, 1))
    assert in_force([old, new], date(2024, 1, 1)) is None
    assert in_force([old, new], date(2025, 1, 1)) is old
    assert in_force([new, old], date(2026, 4, 1)) is new


def national(code: str, **where: Any) -> str | None:
    dictionary = shipped_dictionaries()["right_type"]
    general = next(entry for entry in dictionary.entries if entry.code == "habitation")
    local = replace(general, national="24", region="3201", effective_from=date(2026, 1, 1))
    entry = dictionary_entry(replace(dictionary, entries=(*dictionary.entries, local)), code, **where)
    return entry.national if entry else None


def test_a_regions_own_code_goes_first() -> None:
    assert national("habitation", on=TODAY) == "92"
    assert national("habitation", on=TODAY, region="3201") == "24"
    assert national("habitation", on=date(2025, 1, 1), region="3201") == "92"
    assert national("habitation", on=TODAY, region="3302") == "92"
    assert national("no_such_right", on=TODAY) is None
