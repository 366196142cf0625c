from datetime import UTC, datetime

import pytest

from payments.ports import UnreadableReport
from payments.providers import alipay, wechat_pay


def test_moments_come_out_in_utc() -> None:
    assert wechat_pay._moment("2026-11-20T00:00:01+08:00") == datetime(2026, 11, 19, 16, 0, 1, tzinfo=UTC)
    assert alipay._moment("2026-11-20 00:00:01.999") == datetime(2026, 11, 19, 16, 0, 1, tzinfo=UTC)
    assert alipay._moment("") is None


@pytest.mark.parametrize(
    "text",
    ["", "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-12:00", "2026-11-20T00:00:01", "2026-02-30T00:00:00Z"],
)
def test_what_is_no_moment_of_wechat_pay_is_unreadable(text: str) -> None:
    """One that no row can hold would otherwise stop the notice's handler for good."""
    with pytest.raises(UnreadableReport):
        wechat_pay._moment(text)


@pytest.mark.parametrize("text", ["0001-01-01 00:00:00", "2026-02-30 00:00:00", "2026-11-20", "yesterday"])
def test_what_is_no_moment_of_alipay_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableReport):
        alipay._moment(text)
