from dataclasses import replace
from datetime import timedelta

import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError
from payments.ports import NewOrder
from payments.providers.fake import FakeWallet
from tests.support.moments import NOON

ORDER = NewOrder("n" * 32, 8000, "不动产登记费", "oPayer", NOON + timedelta(hours=1))


async def test_a_number_is_used_for_one_content_once() -> None:
    wallet = FakeWallet(FixedClock(NOON))
    params = await wallet.prepare(ORDER)
    assert await wallet.prepare(ORDER) == params
    with pytest.raises(OutsideError, match="OUT_TRADE_NO_USED"):
        await wallet.prepare(replace(ORDER, amount_fen=1))
    wallet.pay(ORDER.out_trade_no)
    with pytest.raises(OutsideError, match="OUT_TRADE_NO_USED"):
        await wallet.prepare(ORDER)


async def test_what_is_paid_cannot_be_closed() -> None:
    wallet = FakeWallet(FixedClock(NOON))
    await wallet.prepare(ORDER)
    wallet.pay(ORDER.out_trade_no)
    assert not await wallet.close(ORDER.out_trade_no)
    assert await wallet.close("never heard of")
    assert await wallet.query("never heard of") is None
