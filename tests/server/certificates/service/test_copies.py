import dataclasses
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from kit.audit.models import AuditRecord
from kit.outbox.models import OutboxRow
from server.certificates import queries, service
from server.certificates.errors import CertificateNotFound, CopyNotHereYet, CopyRefusedError
from server.certificates.models import CertificateCopy, CertificateCopyHolder
from server.certificates.qr import qr_png
from server.certificates.request import ReceivedCertificate
from server.certificates.states import state_text, verdict
from tests.factories import issuing
from tests.factories.registry import P1, P3

copies_module = import_module("server.certificates.service.copies")


async def received(office: issuing.Office, **changes: Any) -> ReceivedCertificate:
    """A certificate issued here, as it comes down."""
    certificate_id = await service.issue(office.needs, request=issuing.request())
    record = await queries.issued(office.needs, certificate_id=certificate_id)
    values = {
        field.name: getattr(record, field.name)
        for field in dataclasses.fields(ReceivedCertificate)
        if hasattr(record, field.name)
    }
    pdf = await queries.issued_pdf(office.needs, record=record)
    return ReceivedCertificate(**{**values, "certificate_id": record.id, "pdf": pdf, **changes})


def blind(office: issuing.Office, id_number: str = P3.id_number) -> str:
    return office.needs.cipher.blind(id_number, purpose="id_number")


async def test_a_copy_is_kept_once_sealed_and_found_by_its_holder(office: issuing.Office) -> None:
    copy = await received(office)
    for _ in range(2):
        await service.keep_copy(office.needs, received=copy)
    holder = await CertificateCopyHolder.get(copy_id=copy.certificate_id)
    assert "王强" not in holder.name_sealed
    assert await OutboxRow.filter(event_name="certificates.copy_kept").count() == 1
    [record] = await queries.for_holder(office.needs, blind=blind(office))
    assert record == await queries.copy_by_id(office.needs, certificate_id=copy.certificate_id, blind=blind(office))
    assert await queries.copy_qr(record) == qr_png(f"http://127.0.0.1:8000/v/{copy.credential}")
    assert await queries.for_holder(office.needs, blind=blind(office), before=record.id) == []


async def test_a_holder_opens_the_file_and_leaves_a_trace(office: issuing.Office) -> None:
    copy = await received(office)
    await service.keep_copy(office.needs, received=copy)
    asked = {"certificate_id": copy.certificate_id, "resident_id": "r1"}
    with pytest.raises(CertificateNotFound):
        await service.open_copy(office.needs, **asked, blind=blind(office, P1.id_number))
    assert not await AuditRecord.exists(action="certificate.downloaded")
    chunks = await service.open_copy(office.needs, **asked, blind=blind(office))
    assert b"".join([chunk async for chunk in chunks]) == copy.pdf
    deed = await AuditRecord.get(action="certificate.downloaded")
    assert (deed.actor_kind, deed.actor_id, deed.subject_id) == ("resident", "r1", copy.certificate_id)


async def test_somebody_elses_certificate_is_not_there(office: issuing.Office) -> None:
    copy = await received(office)
    await service.keep_copy(office.needs, received=copy)
    stranger = blind(office, P1.id_number)
    assert await queries.for_holder(office.needs, blind=stranger) == []
    with pytest.raises(CertificateNotFound):
        await queries.copy_by_id(office.needs, certificate_id=copy.certificate_id, blind=stranger)


@pytest.mark.parametrize(
    "changes",
    [
        {"pdf": b"%PDF-1.7 another file"},
        {"credential": "AAAA"},
        {"number": "苏(2026)南京市不动产权第0000009号"},
        {"unit_code": "320114001002GB00012F00180303"},
        {"certificate_id": "0192f3a45b6c7d8e9f00112233445599"},
    ],
)
async def test_a_copy_that_is_not_what_it_says_is_refused(office: issuing.Office, changes: dict[str, Any]) -> None:
    copy = await received(office, **changes)
    with pytest.raises(CopyRefusedError):
        await service.keep_copy(office.needs, received=copy)
    assert not await CertificateCopy.all().count()


async def test_a_copy_kept_by_another_worker_meanwhile_is_no_error(
    office: issuing.Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = await received(office)
    real_keep = copies_module._keep

    async def keep(*args: Any) -> None:
        await real_keep(*args)
        raise IntegrityError

    monkeypatch.setattr(copies_module, "_keep", keep)
    await service.keep_copy(office.needs, received=copy)
    assert await CertificateCopy.all().count() == 1


async def test_a_second_certificate_under_one_number_is_refused(
    office: issuing.Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def keep(*_: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(copies_module, "_keep", keep)
    with pytest.raises(CopyRefusedError):
        await service.keep_copy(office.needs, received=await received(office))


async def change(office: issuing.Office, certificate_id: str, state: str, *, minutes: int = 0) -> None:
    await service.change_status(
        office.needs,
        certificate_id=certificate_id,
        state=state,
        changed_at=office.clock.now() + timedelta(minutes=minutes),
        superseded_by=None,
        paper_state="to_be_returned",
    )


async def test_a_status_waits_for_its_copy_and_older_news_change_nothing(office: issuing.Office) -> None:
    copy = await received(office)
    with pytest.raises(CopyNotHereYet):
        await change(office, copy.certificate_id, "superseded")
    await service.keep_copy(office.needs, received=copy)
    await change(office, copy.certificate_id, "superseded")
    await change(office, copy.certificate_id, "superseded")
    await change(office, copy.certificate_id, "valid", minutes=-5)
    row = await CertificateCopy.get(id=copy.certificate_id)
    assert (row.state, row.paper_state, row.version) == ("superseded", "to_be_returned", 2)
    await change(office, copy.certificate_id, "cancelled", minutes=5)
    assert (await CertificateCopy.get(id=copy.certificate_id)).state == "cancelled"


async def test_a_scanned_code_tells_what_the_register_says_today(office: issuing.Office) -> None:
    copy = await received(office)
    link = f"http://127.0.0.1:8000/v/{copy.credential}"
    before = await queries.verify(office.needs, text=link)
    assert (before.genuine, before.state, before.number) == (True, "unknown", copy.number)
    await service.keep_copy(office.needs, received=copy)
    valid = await queries.verify(office.needs, text=copy.credential.lower())
    assert (valid.genuine, valid.state, str(valid.issued_on)) == (True, "valid", "2026-03-16")
    assert valid.unit_code_masked == "320114" + "*" * 20 + "02"
    await change(office, copy.certificate_id, "superseded")
    assert (await queries.verify(office.needs, text=link)).state == "superseded"


@pytest.mark.parametrize("text", ["", "hello", "http://127.0.0.1:8000/v/AAAA", "ABCDEFGH"])
async def test_what_nobody_signed_is_not_genuine(office: issuing.Office, text: str) -> None:
    found = await queries.verify(office.needs, text=text)
    assert (found.genuine, found.state, found.number) == (False, "unknown", None)
    assert verdict(found.state, genuine=False)[0] == "不能确认真伪"


def test_the_words_for_a_verdict() -> None:
    assert verdict("valid", genuine=True) == (
        "有效",
        "本结果仅表明证书真实有效，不反映该不动产是否存在抵押、查封等情况。",
    )
    assert verdict("superseded", genuine=True)[0] == state_text("superseded") == "已被新证书替代"
