from dataclasses import replace
from datetime import date

import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError, Permanent
from server.adapters.fake_tax import ASSESSED, FakeBureau
from server.applications.ports import Declaration, TaxNotice
from tests.support.moments import NOON

SALE = Declaration("a" * 32, "1", "H1", 8950, 200_000_000, date(2019, 5, 10), True, "11", (), ())  # noqa: FBT003 - the port's form


async def test_the_same_declaration_gets_the_same_answer_and_its_number_means_no_other() -> None:
    clock = FixedClock(NOON)
    bureau = FakeBureau(clock)
    first = await bureau.declare(SALE)
    clock.advance(seconds=60)
    assert await bureau.declare(SALE) == first
    assert bureau.declared == [SALE]
    with pytest.raises(OutsideError) as refused:
        await bureau.declare(replace(SALE, price_fen=1))
    assert refused.value.permanent


def test_a_notice_is_read_as_it_was_written() -> None:
    bureau = FakeBureau(FixedClock(NOON))
    notice = TaxNotice("e1", SALE.declaration_no, "1", NOON, "332026", list(ASSESSED))
    assert bureau.read_notice(bureau.write_notice(notice)) == notice


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"taxes": [], "cleared_at": "noon"}', b'{"taxes": [1]}'])
def test_what_is_no_notice_is_permanent(body: bytes) -> None:
    with pytest.raises(Permanent):
        FakeBureau(FixedClock(NOON)).read_notice(body)
