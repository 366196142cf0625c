from urllib.parse import quote, urlencode

import pytest

from kit.wallets.alipay.keys import alipay_public_key
from kit.wallets.alipay.notify import AlipayNotices
from kit.wallets.errors import BadNotice
from tests.kit.wallets.alipay.test_signing import PUBLISHED_KEY, PUBLISHED_SIGN
from tests.kit.wallets.wechat.party import Party

PUBLISHED = {
    "app_id": "2021000000000001",
    "buyer_open_id": "o1",
    "charset": "utf-8",
    "out_trade_no": "T20261121-1",
    "subject": "测试 A&B=1",
    "total_amount": "1.00",
    "trade_status": "TRADE_SUCCESS",
    "version": "1.0",
}
TRADE = {
    "app_id": "2021000000000001",
    "charset": "utf-8",
    "fund_bill_list": '[{"amount":"0.10","fundChannel":"ALIPAYACCOUNT"}]',
    "gmt_payment": "2026-11-21 15:56:24",
    "notify_id": "2026112100222155624068450559358070",
    "notify_type": "trade_status_sync",
    "out_trade_no": "T1",
    "passback_params": "a%3D1%26b%3D2",
    "subject": "登记费 +A%20",
    "total_amount": "0.10",
    "trade_status": "TRADE_SUCCESS",
    "version": "1.0",
    "zero": "",
}


def content(fields: dict[str, str]) -> bytes:
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()


def form(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()


def signed(alipay: Party, fields: dict[str, str], *, with_type: bool = False, **more: str) -> bytes:
    covered = {**fields, "sign_type": "RSA2"} if with_type else fields
    return form({**fields, "sign": alipay.sign(content(covered)), "sign_type": "RSA2", **more})


@pytest.fixture
def notices(alipay: Party) -> AlipayNotices:
    return AlipayNotices(alipay.public)


def reason(notices: AlipayNotices, body: bytes) -> str:
    with pytest.raises(BadNotice) as caught:
        notices.open(body)
    return caught.value.reason


def test_the_published_vector() -> None:
    body = form({**PUBLISHED, "sign": PUBLISHED_SIGN, "sign_type": "RSA2"})
    assert AlipayNotices(alipay_public_key(PUBLISHED_KEY)).open(body) == PUBLISHED


def test_both_genuine_ways_to_sign(notices: AlipayNotices, alipay: Party) -> None:
    assert notices.open(signed(alipay, TRADE)) == TRADE
    market = {"charset": "UTF-8", "notify_type": "servicemarket_order_notify", "title": "模版"}
    assert notices.open(signed(alipay, market, with_type=True)) == market


def test_values_are_decoded_once(notices: AlipayNotices, alipay: Party) -> None:
    opened = notices.open(signed(alipay, TRADE))
    assert (opened["passback_params"], opened["subject"]) == ("a%3D1%26b%3D2", "登记费 +A%20")


@pytest.mark.parametrize("name", sorted(TRADE))
def test_any_changed_field_is_noticed(notices: AlipayNotices, alipay: Party, name: str) -> None:
    fields = {**TRADE, "sign": alipay.sign(content(TRADE)), "sign_type": "RSA2"}
    other = "UTF-8" if name == "charset" else fields[name] + "1"
    assert reason(notices, form({**fields, name: other})) == "bad_signature"
    assert reason(notices, form({**fields, "more": "1"})) == "bad_signature"


def test_json_valued_fields_stay_as_they_came(notices: AlipayNotices, alipay: Party) -> None:
    fields = {**TRADE, "sign": alipay.sign(content(TRADE)), "sign_type": "RSA2"}
    spaced = fields["fund_bill_list"].replace(",", ", ")
    assert reason(notices, form({**fields, "fund_bill_list": spaced})) == "bad_signature"


def test_a_form_encoded_twice_is_not_believed(notices: AlipayNotices, alipay: Party) -> None:
    fields = {**TRADE, "sign": alipay.sign(content(TRADE)), "sign_type": "RSA2"}
    twice = form({name: quote(value) for name, value in fields.items()})
    assert reason(notices, twice) == "bad_signature"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"sign": ""}, "unsigned"),
        ({"sign_type": "RSA"}, "wrong_sign_type"),
        ({"sign_type": ""}, "wrong_sign_type"),
        ({"sign_type": "rsa2"}, "wrong_sign_type"),
        ({"charset": "gbk"}, "wrong_charset"),
        ({"charset": ""}, "wrong_charset"),
        ({"sign": "AAAA"}, "bad_signature"),
    ],
)
def test_what_is_not_said_as_it_should_be(
    notices: AlipayNotices, alipay: Party, changed: dict[str, str], expected: str
) -> None:
    fields = {**TRADE, "sign": alipay.sign(content(TRADE)), "sign_type": "RSA2", **changed}
    assert reason(notices, form(fields)) == expected


@pytest.mark.parametrize("missing", ["sign", "sign_type", "charset"])
def test_what_is_missing(notices: AlipayNotices, alipay: Party, missing: str) -> None:
    fields = {**TRADE, "sign": alipay.sign(content(TRADE)), "sign_type": "RSA2"}
    del fields[missing]
    expected = {"sign": "unsigned", "sign_type": "wrong_sign_type", "charset": "wrong_charset"}
    assert reason(notices, form(fields)) == expected[missing]


def test_signed_by_another(notices: AlipayNotices, app: Party) -> None:
    assert reason(notices, signed(app, TRADE)) == "bad_signature"


def test_a_field_that_stands_twice(notices: AlipayNotices, alipay: Party) -> None:
    assert reason(notices, signed(alipay, TRADE) + b"&total_amount=9999.00") == "duplicate_field"


@pytest.mark.parametrize(
    "body", [b"\xff", b"a", b"=1", b"a=%ff", "主=1".encode(), b"&".join(b"a%d=1" % i for i in range(201))]
)
def test_what_is_no_form(notices: AlipayNotices, body: bytes) -> None:
    assert reason(notices, body) == "unreadable"


def test_nothing_and_too_much(notices: AlipayNotices) -> None:
    assert reason(notices, b"") == "unsigned"
    assert reason(notices, b"a=" + b"1" * 70_000) == "too_large"
