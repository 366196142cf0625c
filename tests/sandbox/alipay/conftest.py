from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.city import City


@pytest.fixture
def tap(city: City) -> Callable[..., Any]:
    async def pay(trade_no: str, person: str = "P3", **more: Any) -> str:
        done = await city.control("POST", "/alipay/pay", person=person, trade_no=trade_no, **more)
        return str(done["resultCode"])

    return pay
