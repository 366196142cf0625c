"""Where a paper is, by what the platform tells: in any order, twice, and of certificates that are void meanwhile."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from kit.db import fetch
from kit.errors import Permanent
from kit.ids import new_id
from kit.outbox.models import OutboxRow
from server.certificates import queries, rules, service
from server.certificates.models import CertificatePaperMove
from server.certificates.service import PaperNews
from tests.factories import issuing
from tests.support.moments import NOON


def news(certificate_id: str, way: str, hour: float = 0, **more: Any) -> PaperNews:
    at = NOON + timedelta(hours=hour)
    told = {"carrier": "ems", "waybill": "EK123456785CN", "signed_by": None, **more}
    return PaperNews(new_id(), certificate_id, way, at, at, **told)


async def paper(office: issuing.Office, certificate_id: str) -> str:
    return (await queries.issued(office.needs, certificate_id=certificate_id)).paper_state


async def test_a_posted_paper_is_with_its_holder_once_handed_over(office: issuing.Office) -> None:
    made = await service.issue(office.needs, request=issuing.request())
    moments: list[datetime | None] = []
    for way, state in (("posted", "posted"), ("kept", "not_printed"), ("posted", "posted"), ("lost", "lost")):
        await service.record_paper(office.needs, news=news(made, way, len(moments)))
        assert await paper(office, made) == state
        moments.append((await queries.issued(office.needs, certificate_id=made)).changed_at)
    # The clock stands still here: of what changed within one moment, too, the later is told as the later.
    assert len(set(moments)) == 4
    assert await OutboxRow.filter(event_name="certificates.status_changed", ordering_key=made).count() == 4
    rows = await fetch("SELECT details FROM kit_audit WHERE action = 'certificate.paper_moved'")
    assert len(rows) == 4


async def test_the_same_message_counts_once(office: issuing.Office) -> None:
    made = await service.issue(office.needs, request=issuing.request())
    told = news(made, "handed_over", signed_by="self")
    for _ in range(2):
        await service.record_paper(office.needs, news=told)
    (kept,) = await CertificatePaperMove.all()
    assert (kept.way, kept.waybill, kept.signed_by, kept.happened_at) == ("handed_over", "EK123456785CN", "self", NOON)
    assert await OutboxRow.filter(event_name="certificates.status_changed").count() == 1
    assert (await queries.issued(office.needs, certificate_id=made)).state == "valid"


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_in_whatever_order_news_come_the_latest_stands(office: issuing.Office, order: tuple[int, ...]) -> None:
    made = await service.issue(office.needs, request=issuing.request())
    told = [news(made, "posted", 1), news(made, "handed_over", 2), news(made, "kept", 3)]
    for place in order:
        await service.record_paper(office.needs, news=told[place])
    assert await paper(office, made) == "not_printed"
    assert await CertificatePaperMove.all().count() == 3


@pytest.mark.parametrize("way", ["posted", "handed_over"])
async def test_a_paper_that_we_sent_is_to_come_back_once_it_is_void(office: issuing.Office, way: str) -> None:
    old = await service.issue(office.needs, request=issuing.request())
    await service.record_paper(office.needs, news=news(old, way))
    new = await service.issue(office.needs, request=issuing.request(position=2, supersedes=(old,)))
    assert await paper(office, old) == "to_be_returned"
    await service.record_paper(office.needs, news=news(new, "posted", 1, recalled=(old,)))
    assert (await paper(office, old), await paper(office, new)) == ("returned", "posted")


@pytest.mark.parametrize(("way", "state"), [("handed_over", "to_be_returned"), ("kept", "not_printed")])
async def test_news_of_a_void_certificates_paper(office: issuing.Office, way: str, state: str) -> None:
    """It was on its way while the register went on."""
    old = await service.issue(office.needs, request=issuing.request())
    await service.record_paper(office.needs, news=news(old, "posted"))
    await service.issue(office.needs, request=issuing.request(position=2, supersedes=(old,)))
    await service.record_paper(office.needs, news=news(old, way, 1))
    assert await paper(office, old) == state


async def test_nobody_takes_back_a_paper_of_another_certificate(office: issuing.Office) -> None:
    stranger = await service.issue(office.needs, request=issuing.request())
    await service.record_paper(office.needs, news=news(stranger, "handed_over"))
    await service.issue(office.needs, request=issuing.request(position=2, supersedes=(stranger,)))
    other = await service.issue(office.needs, request=issuing.request(position=3))
    await service.record_paper(office.needs, news=news(other, "posted", 1, recalled=(stranger, new_id())))
    assert await paper(office, stranger) == "to_be_returned"


async def test_news_of_a_certificate_that_is_not_there_is_for_staff(office: issuing.Office) -> None:
    with pytest.raises(Permanent):
        await service.record_paper(office.needs, news=news(new_id(), "posted"))
    assert await CertificatePaperMove.all().count() == 0


def test_a_change_is_later_than_the_one_before() -> None:
    assert rules.next_change(None, NOON) == NOON
    assert rules.next_change(NOON - timedelta(hours=1), NOON) == NOON
    assert rules.next_change(NOON, NOON) > NOON
