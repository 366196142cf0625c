import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from kit.audit.models import AuditRecord
from kit.errors import OutsideError
from kit.failing import failing
from server.sharing import queries, service
from server.sharing.errors import AskedAboutTooMany, EvidenceNotFound
from server.sharing.models import SharingCall, SharingEvidence
from server.sharing.rules import MOST_PEOPLE, Result
from server.sharing.service import Asked
from server.terms.evidence import EvidenceKind, MaritalStatus, Marriage
from tests.factories.sharing import (
    APPLICATION,
    HOUSEHOLD,
    MARRIAGE,
    P3_NUMBER,
    PARTY,
    RESIDENT,
    Hall,
    hall,
    subject,
)

DOWN = OutsideError("departments", "HTTP_503", "down", permanent=False)


async def ask(here: Hall, **changes: Any) -> Asked:
    given = {"subject": subject(), "source": MARRIAGE, **changes}
    return await service.ask(here.needs, **given)


async def known(here: Hall, **changes: Any) -> str:
    return await service.record_answer(here.needs, asked_by=RESIDENT, asked=await ask(here, **changes))


async def test_a_question_carries_what_it_needs_and_no_more():
    here = hall()
    asked = await ask(here)
    (question,) = here.departments.asked
    assert (question.request_no, question.purpose, question.legal_basis) == (
        asked.request_no,
        MARRIAGE.purpose,
        MARRIAGE.legal_basis,
    )
    assert (asked.result, asked.error) == (Result.FOUND, "")
    assert (await ask(here, source=HOUSEHOLD)).result is Result.FOUND


@pytest.mark.parametrize(
    ("changes", "result"),
    [({"id_number": "320104196801059989"}, Result.NOT_FOUND), ({"name": "王大强"}, Result.MISMATCH)],
)
async def test_no_record_and_another_name_are_answers(changes: dict[str, str], result: Result):
    asked = await ask(hall(), subject=subject(**changes))
    assert (asked.result, asked.answer is not None) == (result, True)


async def test_a_source_that_is_down_is_a_result_and_is_left_alone_after_a_while():
    clock_hall = hall()
    port = failing(clock_hall.departments, [DOWN] * 3)
    here = hall(port=port)
    errors = [(await ask(here)).error for _ in range(4)]
    assert errors == ["HTTP_503"] * 3 + ["LEFT_ALONE"]
    # The other department is another source, and its own silence is its own.
    assert (await ask(here, source=HOUSEHOLD)).result is Result.FOUND
    here.clock.advance(seconds=30)
    assert (await ask(here)).result is Result.FOUND


async def test_nobody_waits_longer_than_the_deadline():
    class Silent:
        async def marriage(self, _: object) -> None:
            await asyncio.Event().wait()

    here = hall(port=Silent(), seconds=5)
    asked = await ask(here, deadline=asyncio.get_running_loop().time() + 0.01)
    assert (asked.result, asked.error) == (Result.UNAVAILABLE, "DEADLINE")


async def test_what_was_found_is_kept_sealed_with_its_right(db: object):
    here = hall()
    evidence_id = await known(here)
    row = await SharingEvidence.get(id=evidence_id)
    assert (row.result, row.purpose, row.legal_basis) == ("found", MARRIAGE.purpose, MARRIAGE.legal_basis)
    assert row.content_sealed is not None
    assert "divorced" not in row.content_sealed
    (found,) = await queries.found(here.needs, application_id=APPLICATION)
    assert hashlib.sha256(found.content).hexdigest() == row.digest
    blind = here.needs.cipher.blind(P3_NUMBER, purpose="id_number")
    own = await queries.own(here.needs, application_id=APPLICATION, evidence_id=evidence_id, subject_blind=blind)
    assert own.kind is EvidenceKind.MARRIAGE
    assert own.content == Marriage(MaritalStatus.DIVORCED)
    assert own.request_no == row.request_no


async def test_nobody_elses_is_read(db: object):
    here = hall()
    evidence_id = await known(here)
    blind = here.needs.cipher.blind(P3_NUMBER, purpose="id_number")
    other = here.needs.cipher.blind("320106199208159969", purpose="id_number")
    for given in (
        {"application_id": APPLICATION, "evidence_id": evidence_id, "subject_blind": other},
        {"application_id": "9" * 32, "evidence_id": evidence_id, "subject_blind": blind},
        {"application_id": APPLICATION, "evidence_id": "9" * 32, "subject_blind": blind},
    ):
        with pytest.raises(EvidenceNotFound):
            await queries.own(here.needs, **given)
    nothing = await known(here, subject=replace(subject(id_number="320106199208159969"), party_id="4" * 32))
    with pytest.raises(EvidenceNotFound):
        await queries.own(here.needs, application_id=APPLICATION, evidence_id=nothing, subject_blind=other)


async def test_every_question_is_on_record_twice_and_names_nobody(db: object):
    here = hall()
    await known(here)
    await known(here, subject=subject(name="王大强"))
    calls = await SharingCall.all().order_by("id")
    assert [call.result for call in calls] == ["found", "mismatch"]
    assert {call.subject_blind for call in calls} == {here.needs.cipher.blind(P3_NUMBER, purpose="id_number")}
    assert {(call.asked_by, call.source, call.purpose) for call in calls} == {
        (RESIDENT, MARRIAGE.source, MARRIAGE.purpose)
    }
    deeds = await AuditRecord.filter(action="sharing.asked").order_by("id")
    assert [deed.result for deed in deeds] == ["found", "mismatch"]
    told = "".join(f"{vars(row)}" for row in [*calls, *deeds])
    assert P3_NUMBER not in told
    assert "王" not in told


async def test_what_was_found_stays_and_silence_changes_nothing(db: object):
    here = hall()
    absent = subject(id_number="320106199208159969")
    first = await known(here, subject=absent)
    here.needs.guard(EvidenceKind.MARRIAGE)
    down = Asked(absent, MARRIAGE, "5" * 32, here.clock.now(), 3, None, "TIMEOUT")
    assert await service.record_answer(here.needs, asked_by=RESIDENT, asked=down) == first
    assert (await SharingEvidence.get(id=first)).result == "not_found"
    here.departments.marriages[absent.id_number] = (absent.name, Marriage(MaritalStatus.UNMARRIED))
    assert await known(here, subject=absent) == first
    assert (await SharingEvidence.get(id=first)).result == "found"
    del here.departments.marriages[absent.id_number]
    await known(here, subject=absent)
    row = await SharingEvidence.get(id=first)
    assert (row.result, row.content_sealed is not None) == ("found", True)
    assert await SharingCall.all().count() == 4


async def test_two_who_ask_at_once_have_one_evidence(db: object):
    here = hall()
    answers = await asyncio.gather(*(ask(here) for _ in range(4)))
    ids = await asyncio.gather(
        *(service.record_answer(here.needs, asked_by=RESIDENT, asked=asked) for asked in answers)
    )
    assert len(set(ids)) == 1
    assert await SharingEvidence.all().count() == 1
    assert await SharingCall.all().count() == 4
    lines = await queries.lines(here.needs, application_ids=[APPLICATION])
    assert [(line.party_id, line.result) for line in lines[APPLICATION]] == [(PARTY, Result.FOUND)]


async def test_nobody_tries_out_whose_name_and_number_belong_together(db: object):
    here = hall()
    people = [f"3201061990030{place:05d}" for place in range(MOST_PEOPLE)]
    another = "320106199208159969"

    async def count(*id_numbers: str, asked_by: str = RESIDENT) -> None:
        await service.count_people(here.needs, asked_by=asked_by, id_numbers=id_numbers)

    for each in people:
        await count(each)
    await count(people[0])
    await count(another, asked_by="4" * 32)
    await count()
    with pytest.raises(AskedAboutTooMany):
        await count(people[0], another)
    here.clock.advance(seconds=24 * 3600 + 1)
    await count(another)


async def test_who_asks_several_times_at_once_has_no_more_people_asked_about(db: object):
    here = hall()
    crowds = [[f"32010619900{crowd}{place:06d}" for place in range(MOST_PEOPLE)] for crowd in range(4)]
    done = await asyncio.gather(
        *(service.count_people(here.needs, asked_by=RESIDENT, id_numbers=crowd) for crowd in crowds),
        return_exceptions=True,
    )
    assert [type(each) for each in done if each is not None] == [AskedAboutTooMany] * 3


@pytest.mark.parametrize(("source", "method"), [(MARRIAGE, "marriage"), (HOUSEHOLD, "household")])
@pytest.mark.parametrize("after", [False, True], ids=["before the department acted", "after the department acted"])
async def test_an_answer_lost_is_written_down_and_asked_for_again(
    db: object, source: service.From, method: str, *, after: bool
):
    """Each asking is a call of its own in the log; what is known stays one row."""
    here = hall()
    here = replace(here, needs=hall(port=failing(here.departments, [DOWN], after=after, methods={method})).needs)
    lost, known_now = [await known(here, source=source) for _ in range(2)]
    assert lost == known_now
    (row,) = await SharingEvidence.all()
    assert (row.result, row.content_sealed is not None) == ("found", True)
    calls = await SharingCall.all().order_by("id")
    assert [(each.result, each.error) for each in calls] == [("unavailable", "HTTP_503"), ("found", "")]
    assert len({each.request_no for each in calls}) == 2
    assert len(here.departments.asked) == 1 + after
    assert await known(here, source=source) == lost
    assert await SharingEvidence.all().count() == 1
