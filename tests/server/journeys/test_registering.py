"""The registry's side from the package in the inbox to the certificate at the platform, over the embedded road."""

from pathlib import Path
from typing import Any

import pytest

from kit.errors import Permanent
from kit.ids import new_id
from kit.outbox.models import OutboxRow
from server.certificates import queries as certificates
from server.certificates.models import CertificateCopy, CertificateIssued
from server.journeys import issuing, recording, registering, seeding
from server.registry import queries, service
from server.registry.models import RegistryCase, RegistryHolder, RegistryMessage, RegistryUnit
from server.terms.messages import UpMessage
from tests.factories import registry
from tests.factories.registry import HERE, OFFICER
from tests.factories.road import Road, road
from tests.support.moments import NOON


@pytest.fixture
async def both(db: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Road:
    async def told(*_: Any, **__: Any) -> None:
        """The application's own progress is another test's matter."""

    monkeypatch.setattr(recording.applications, "record_certificate", told)
    monkeypatch.setattr(recording.applications, "record_paper", told)
    return await road(tmp_path / "files")


async def arrive(both: Road, kind: str, body: dict[str, Any]) -> None:
    message = UpMessage(new_id(), kind, body["application_id"], NOON, body)
    for _ in range(2):
        await both.house.relay.registry.send(message)
    await both.drain.until_idle()


async def sale(both: Road, **changes: Any) -> tuple[str, str]:
    """The sale of H1 on the desk, over the road: the file copied, the package in the inbox twice."""
    application_id = new_id()
    stored = await both.files.put(
        scope=f"application/{application_id}", chunks=registry._once(registry.FILE), limit=1000
    )
    await both.house.relay.registry.put_material(
        application_id=application_id, scope=f"application/{application_id}", digest=stored.digest
    )
    await arrive(both, "case_package", registry.package(application_id, stored.digest, **changes))
    case = await RegistryCase.get(application_id=application_id)
    return case.id, application_id


async def test_from_package_to_new_certificate_and_the_end_of_the_old(both: Road) -> None:
    await seeding.seed_demo(both.house, seeding.DEMO_UNITS[:1])
    await both.drain.until_idle()
    old = await CertificateCopy.get()
    assert (old.number, old.state, old.application_id) == ("苏(2019)南京市不动产权第0000012号", "valid", "")

    case_id, application_id = await sale(both)
    await service.accept(both.house.registry, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")
    await service.review(
        both.house.registry, staff_id=OFFICER, scope=HERE, case_id=case_id, result="passed", opinion=""
    )
    await arrive(both, "evidence_tax", dict(registry.evidence("evidence_tax", application_id).body))
    await service.enter(both.house.registry, staff_id=OFFICER, scope=HERE, case_id=case_id)
    await both.drain.until_idle()
    assert await CertificateIssued.all().count() == 1  # the fee is not paid yet

    await arrive(both, "evidence_fee", dict(registry.evidence("evidence_fee", application_id).body))
    old = await CertificateCopy.get(id=old.id)
    new = await CertificateCopy.get(application_id=application_id)
    assert (old.state, old.paper_state, old.superseded_by) == ("superseded", "to_be_returned", new.id)
    assert (new.state, new.number) == ("valid", "苏(2026)南京市不动产权第0000001号")
    for copy, state in ((old, "superseded"), (new, "valid")):
        verified = await certificates.verify(both.house.certificates, text=copy.credential)
        assert (verified.genuine, verified.state) == (True, state)
    found = await queries.unit(both.house.registry, unit_code=registry.H1, certificate_number=new.number)
    assert found is not None
    assert [owner.name for owner in found.owners] == ["王强"]
    assert not await OutboxRow.all().count()
    kinds = await RegistryMessage.filter(application_id=application_id).order_by("id").values_list("kind", flat=True)
    assert kinds == ["acceptance", "step", "entered", "certificate"]


async def test_owners_by_shares_get_a_certificate_each_with_their_share(both: Road) -> None:
    await seeding.seed_demo(both.house, seeding.DEMO_UNITS[:1])
    entry = registry.entry(buyers=[(registry.P3, (2, 3)), (registry.P4, (1, 3))])
    case_id, application_id = await sale(both, entries=[entry])
    await service.accept(both.house.registry, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")
    await service.review(
        both.house.registry, staff_id=OFFICER, scope=HERE, case_id=case_id, result="passed", opinion=""
    )
    for kind in ("evidence_tax", "evidence_fee"):
        await arrive(both, kind, dict(registry.evidence(kind, application_id).body))
    await service.enter(both.house.registry, staff_id=OFFICER, scope=HERE, case_id=case_id)
    await both.drain.until_idle()
    numbers = (
        await CertificateCopy.filter(application_id=application_id).order_by("id").values_list("number", flat=True)
    )
    assert len(numbers) == 2
    holders = await RegistryHolder.filter(right__state="current").order_by("position")
    assert [holder.certificate_number for holder in holders] == numbers


async def test_a_withdrawal_arrives(both: Road) -> None:
    await seeding.seed_demo(both.house, seeding.DEMO_UNITS[:1])
    case_id, application_id = await sale(both)
    body = {"application_id": application_id, "withdrawn_at": "2026-03-16T12:00:00+08:00", "reason": ""}
    await arrive(both, "withdrawal", body)
    assert (await RegistryCase.get(id=case_id)).state == "withdrawn"


async def test_a_kind_nobody_works_on_is_for_staff(both: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    async def odd(*_: Any, **__: Any) -> Any:
        return registry.up("greeting", "a" * 32, {})

    monkeypatch.setattr(registering.registry, "open_up", odd)
    event = registering.PlatformMessageArrived("i" * 32, "a" * 32)
    with pytest.raises(Permanent):
        await registering.record_message(both.house, event)


async def test_the_demo_register_can_be_seeded_twice(both: Road) -> None:
    for _ in range(2):
        await seeding.seed_demo(both.house)
        await both.drain.until_idle()
    assert await RegistryUnit.all().count() == 5
    assert await CertificateIssued.all().count() == await CertificateCopy.all().count() == 5
    organisation = await certificates.issued(
        both.house.certificates, certificate_id=(await CertificateCopy.get(number__contains="0000078")).id
    )
    assert organisation.holders[0].id_kind == "business_licence"


async def test_a_status_without_a_change_is_for_staff(both: Road) -> None:
    await seeding.seed_demo(both.house, seeding.DEMO_UNITS[:1])
    row = await CertificateIssued.get()
    with pytest.raises(Permanent):
        await registering.send_status(both.house, registering.StatusChanged(row.id, ""))


async def test_the_text_of_co_ownership_names_a_share_only_by_shares(both: Road) -> None:
    await seeding.seed_demo(both.house, seeding.DEMO_UNITS[:1])
    holder = await RegistryHolder.filter(position=1).first()
    assert holder is not None
    due = await issuing_due(both, holder.right_id)
    assert issuing._co_ownership_text(due) == "共同共有"


async def issuing_due(both: Road, right_id: str) -> Any:
    from server.registry.due import seeded_certificate

    return await seeded_certificate(both.house.registry, right_id=right_id, registered_on=NOON.date())


async def test_a_paper_that_was_posted_and_signed_for_is_to_come_back_when_the_home_is_sold_again(both: Road) -> None:
    await seeding.seed_demo(both.house, seeding.DEMO_UNITS[:1])
    case_id, application_id = await sale(both)
    await service.accept(both.house.registry, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")
    await service.review(
        both.house.registry, staff_id=OFFICER, scope=HERE, case_id=case_id, result="passed", opinion=""
    )
    for kind in ("evidence_tax", "evidence_fee"):
        await arrive(both, kind, dict(registry.evidence(kind, application_id).body))
    await service.enter(both.house.registry, staff_id=OFFICER, scope=HERE, case_id=case_id)
    await both.drain.until_idle()
    old, new = await CertificateCopy.all().order_by("registered_on")
    for way, hour, state in (("posted", 10, "posted"), ("handed_over", 11, "with_holder")):
        await arrive(both, "paper", paper_body(new, way, f"2026-03-17T{hour}:00:00+08:00", recalled=[old.id]))
        copies = {copy.id: copy.paper_state for copy in await CertificateCopy.all()}
        assert copies == {old.id: "returned", new.id: state}
    # Both within the second of a clock that stands still, and each told once.
    told = await RegistryMessage.filter(kind="status_change", subject__startswith=new.id).count()
    assert (told, await OutboxRow.all().count()) == (2, 0)


def paper_body(copy: CertificateCopy, way: str, at: str, *, recalled: list[str]) -> dict[str, Any]:
    return {
        "application_id": copy.application_id,
        "certificate_id": copy.id,
        "number": copy.number,
        "way": way,
        "happened_at": at,
        "noted_at": at,
        "carrier": "ems",
        "waybill": "EK123456785CN",
        "signed_by": None,
        "recalled": recalled,
    }
