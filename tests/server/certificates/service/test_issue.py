import asyncio
from collections.abc import Callable
from datetime import date
from importlib import import_module
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from kit.failing import Failing
from kit.outbox.models import OutboxRow
from server.certificates import queries, rules, service
from server.certificates.errors import NotMadeYet, NumberTakenError
from server.certificates.models import CertificateIssued
from server.certificates.signing import verify_pdf
from tests.factories import issuing

issue_module = import_module("server.certificates.service.issue")


class PowerCut(Exception):
    """The process ends here."""


async def test_a_certificate_has_number_file_and_credential(office: issuing.Office) -> None:
    certificate_id = await service.issue(office.needs, request=issuing.request())
    record = await queries.issued(office.needs, certificate_id=certificate_id)
    assert record.number == "苏(2026)南京市不动产权第0000001号"
    assert (record.state, record.paper_state) == ("valid", "not_printed")
    assert record.holders[0].name == "王强"
    pdf = await queries.issued_pdf(office.needs, record=record)
    check = await asyncio.to_thread(verify_pdf, pdf, roots=issuing.seal_files().root.read_bytes())
    assert check.sound
    row = await CertificateIssued.get(id=certificate_id)
    assert "王强" not in row.holders_sealed
    assert await OutboxRow.filter(event_name="certificates.issued", ordering_key=certificate_id).count() == 1


async def test_asking_again_makes_no_second_one(office: issuing.Office) -> None:
    ids = {await service.issue(office.needs, request=issuing.request()) for _ in range(2)}
    assert len(ids) == 1
    assert await CertificateIssued.all().count() == 1
    assert await OutboxRow.filter(event_name="certificates.issued").count() == 1


async def test_numbers_are_counted_by_city_and_year(office: issuing.Office) -> None:
    for position, changes in enumerate(
        (
            {"district": "320114"},
            {"district": "320105"},
            {"registered_on": date(2027, 1, 4)},
        ),
        start=1,
    ):
        await service.issue(office.needs, request=issuing.request(position=position, **changes))
    assert await CertificateIssued.all().order_by("position").values_list("number", flat=True) == [
        "苏(2026)南京市不动产权第0000001号",
        "苏(2026)南京市不动产权第0000002号",
        "苏(2027)南京市不动产权第0000001号",
    ]


def _cut(office: issuing.Office, monkeypatch: pytest.MonkeyPatch, where: str) -> Callable[[], None]:
    """Break the process once at `where`; answers what mends it."""
    needs = office.needs.__dict__
    if where in {"seal_credential", "seal_pdf"}:
        real = needs["seal"]
        method = "sign_credential" if where == "seal_credential" else "sign_pdf"
        needs["seal"] = Failing(real, [PowerCut()], methods={method})
        return lambda: needs.__setitem__("seal", real)
    if where in {"before_put", "after_put"}:
        real = needs["files"]
        needs["files"] = Failing(real, [PowerCut()], after=where == "after_put", methods={"put"})
        return lambda: needs.__setitem__("files", real)

    real_finish = issue_module._finish

    async def finish(*args: Any, **kwargs: Any) -> bool:
        if where == "after_finish":
            await real_finish(*args, **kwargs)
        raise PowerCut

    monkeypatch.setattr(issue_module, "_finish", finish)
    return lambda: monkeypatch.setattr(issue_module, "_finish", real_finish)


@pytest.mark.parametrize(
    "where", ["seal_credential", "seal_pdf", "before_put", "after_put", "before_finish", "after_finish"]
)
async def test_a_crash_anywhere_leaves_one_certificate_under_one_number(
    office: issuing.Office, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    mend = _cut(office, monkeypatch, where)
    with pytest.raises(PowerCut):
        await service.issue(office.needs, request=issuing.request())
    mend()
    certificate_id = await service.issue(office.needs, request=issuing.request())
    row = await CertificateIssued.get()
    assert (row.id, row.number) == (certificate_id, "苏(2026)南京市不动产权第0000001号")
    assert await office.needs.files.exists(rules.issued_file_scope(row.id), str(row.pdf_digest))
    assert await OutboxRow.filter(event_name="certificates.issued").count() == 1
    second = await service.issue(office.needs, request=issuing.request(position=2))
    assert (await CertificateIssued.get(id=second)).number == "苏(2026)南京市不动产权第0000002号"


async def test_two_workers_at_once_make_one(office: issuing.Office) -> None:
    ids = await asyncio.gather(*(service.issue(office.needs, request=issuing.request()) for _ in range(3)))
    assert len(set(ids)) == 1
    assert await CertificateIssued.all().count() == 1
    assert await OutboxRow.filter(event_name="certificates.issued").count() == 1
    record = await queries.issued(office.needs, certificate_id=ids[0])
    assert await queries.issued_pdf(office.needs, record=record)


async def test_the_slower_worker_leaves_no_file_behind(office: issuing.Office, monkeypatch: pytest.MonkeyPatch) -> None:
    real_make = issue_module._make

    async def make(needs: Any, request: Any, claim: Any) -> Any:
        made = await real_make(needs, request, claim)
        monkeypatch.setattr(issue_module, "_make", real_make)
        await service.issue(needs, request=request)
        return made

    monkeypatch.setattr(issue_module, "_make", make)
    kept: list[str] = []
    real_delete = office.needs.files.delete

    async def delete(scope: str, digest: str) -> None:
        kept.append(digest)
        await real_delete(scope, digest)

    monkeypatch.setattr(office.needs.files, "delete", delete)
    certificate_id = await service.issue(office.needs, request=issuing.request())
    row = await CertificateIssued.get(id=certificate_id)
    assert kept
    assert row.pdf_digest not in kept


async def test_a_given_number_is_kept_and_taken_only_once(office: issuing.Office) -> None:
    given = "苏（2019）南京市不动产权第0000012号"
    certificate_id = await service.issue(
        office.needs, request=issuing.request(case_id="seed-H1", application_id="", number=given)
    )
    row = await CertificateIssued.get(id=certificate_id)
    assert (row.number, row.paper_state) == ("苏(2019)南京市不动产权第0000012号", "with_holder")
    with pytest.raises(NumberTakenError):
        await service.issue(office.needs, request=issuing.request(case_id="seed-H2", number=given))


async def test_a_claim_lost_to_another_worker_is_found_at_the_second_look(
    office: issuing.Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_claim, calls = issue_module._claim, []

    async def claim(needs: Any, request: Any) -> Any:
        calls.append(request)
        if len(calls) == 1:
            await real_claim(needs, request)
            raise IntegrityError
        return await real_claim(needs, request)

    monkeypatch.setattr(issue_module, "_claim", claim)
    await service.issue(office.needs, request=issuing.request())
    assert len(calls) == 2
    assert await CertificateIssued.all().count() == 1


async def test_the_new_one_supersedes_the_old_and_its_paper_is_to_come_back(office: issuing.Office) -> None:
    old = await service.issue(
        office.needs,
        request=issuing.request(case_id="seed-H1", application_id="", number="苏(2019)南京市不动产权第0000012号"),
    )
    electronic = await service.issue(office.needs, request=issuing.request(case_id="seed-H2"))
    new = await service.issue(office.needs, request=issuing.request(supersedes=(old, electronic)))
    again = await service.issue(office.needs, request=issuing.request(position=2, supersedes=(old,)))
    record = await queries.issued(office.needs, certificate_id=old)
    assert (record.state, record.paper_state, record.superseded_by) == ("superseded", "to_be_returned", new)
    assert record.changed_at == office.clock.now()
    other = await queries.issued(office.needs, certificate_id=electronic)
    assert (other.state, other.paper_state) == ("superseded", "not_printed")
    assert await OutboxRow.filter(event_name="certificates.status_changed", ordering_key=old).count() == 1
    assert again != new


async def test_a_certificate_without_a_file_is_not_sent(office: issuing.Office) -> None:
    needs = office.needs.__dict__
    real = needs["seal"]
    needs["seal"] = Failing(real, [PowerCut()])
    with pytest.raises(PowerCut):
        await service.issue(office.needs, request=issuing.request())
    row = await CertificateIssued.get()
    with pytest.raises(NotMadeYet):
        await queries.issued(office.needs, certificate_id=row.id)
    assert await queries.issued_number(office.needs, certificate_id=row.id) == row.number
