from datetime import UTC, datetime

import pytest

from notifications.channels.tc3 import authorization

BODY = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
PUBLISHED = "be4f67d323c78ab9acb7395e43c0dbcf822a9cfac32fea2449a7bc7726b770a3"


def _header(**changes: object) -> str:
    given: dict[str, object] = {
        "secret_id": "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******",
        "secret_key": "Gu5t9xGARNpq86cd98joQYCN3*******",
        "service": "cvm",
        "host": "cvm.tencentcloudapi.com",
        "content_type": "application/json; charset=utf-8",
        "action": "DescribeInstances",
        "body": BODY,
        "at": datetime.fromtimestamp(1551113065, UTC),
    }
    return authorization(**{**given, **changes})  # type: ignore[arg-type]


def test_the_providers_own_example() -> None:
    assert _header() == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******/2019-02-25/cvm/tc3_request, "
        f"SignedHeaders=content-type;host;x-tc-action, Signature={PUBLISHED}"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"secret_key": "other"},
        {"body": BODY + b" "},
        {"action": "DescribeZones"},
        {"host": "sms.tencentcloudapi.com"},
        {"service": "sms"},
        {"at": datetime.fromtimestamp(1551113066, UTC)},
    ],
)
def test_everything_that_counts_is_signed(change: dict[str, object]) -> None:
    assert PUBLISHED not in _header(**change)
