"""SF's signature, and what its answers mean."""

from base64 import b64encode
from hashlib import md5
from typing import Any, cast

import httpx
import orjson
import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError
from kit.http import HttpClient
from server.adapters.carrier_sf import CODES, SfExpress, digest
from server.delivery.ports import Parcel
from server.delivery.states import ParcelState
from tests.support.moments import NOON

PARCEL = Parcel("shunfeng", "SF1234567890", "13900001234")
MESSAGE = '{"language":"0","trackingType":"1","trackingNumber":["SF1234567890"],"methodType":"1"}'


class Desk:
    """Answers with what it is given."""

    def __init__(self, answer: Any, status: int = 200) -> None:
        self._answer = httpx.Response(status, content=orjson.dumps(answer))

    async def request(self, *_: Any, **__: Any) -> httpx.Response:
        return self._answer


def sf(answer: Any, status: int = 200) -> SfExpress:
    desk = cast("HttpClient", Desk(answer, status))
    return SfExpress(desk, url="https://sf.example", partner_id="P", check_word="W", clock=FixedClock(NOON))


def answered(inner: Any) -> dict[str, Any]:
    return {"apiResultCode": "A1000", "apiResultData": orjson.dumps(inner).decode()}


def routes(*found: tuple[str, str], number: str = PARCEL.waybill) -> dict[str, Any]:
    lines = [{"acceptTime": at, "acceptAddress": "南京市", "remark": code, "opCode": code} for at, code in found]
    return answered({"errorCode": "S0000", "msgData": {"routeResps": [{"mailNo": number, "routes": lines}]}})


def test_the_published_digest() -> None:
    assert digest(MESSAGE, timestamp="1700000000000", check_word="CHECKWORD") == "jUJfFT/KMojrakWYYOnWSA=="


def test_texts_are_encoded_as_java_does() -> None:
    """A space is a plus, a tilde is escaped, a star is not."""
    assert (
        digest("a b~*", timestamp="", check_word="")
        == b64encode(md5(b"a+b%7E*", usedforsecurity=False).digest()).decode()
    )


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("50", ParcelState.COLLECTED),
        ("44", ParcelState.DELIVERING),
        ("80", ParcelState.SIGNED),
        ("31", ParcelState.TRANSIT),
    ],
)
async def test_where_a_parcel_is(code: str, state: ParcelState) -> None:
    report = await sf(routes(("2026-03-16 09:00:00", "50"), ("2026-03-16 11:00:00", code))).query(PARCEL)
    assert report is not None
    assert (report.stands, report.signed_by, len(report.entries)) == (state, None, 2)
    assert report.entries[0].at.isoformat() == "2026-03-16T09:00:00+08:00"


async def test_a_scan_that_leaves_something_null_is_read() -> None:
    scan = {"acceptTime": "2026-03-16 10:00:00", "acceptAddress": None, "remark": None, "opCode": None}
    parcels = [{"mailNo": PARCEL.waybill, "routes": [scan]}, {"mailNo": "SF0000000001", "routes": None}]
    report = await sf(answered({"errorCode": "S0000", "msgData": {"routeResps": parcels}})).query(PARCEL)
    assert report is not None
    assert (report.stands, report.entries[0].location) == (ParcelState.TRANSIT, "")


@pytest.mark.parametrize("told", [{"errorCode": "20028"}, {"errorCode": "S0000", "msgData": {"routeResps": []}}])
async def test_whatever_is_said_of_nobodys_parcel_our_signature_was_taken(told: dict[str, Any]) -> None:
    await sf(answered(told)).check_connection()
    with pytest.raises(OutsideError) as refused:
        await sf({"apiResultCode": "A1006", "apiResultData": None}).check_connection()
    assert (refused.value.code, refused.value.permanent) == ("A1006", True)


async def test_a_waybill_that_nobody_knows_yet() -> None:
    assert await sf(routes()).query(PARCEL) is None
    assert await sf(routes(("2026-03-16 09:00:00", "50"), number="SF0000000000")).query(PARCEL) is None
    assert await sf(routes()).subscribe(PARCEL) is False


@pytest.mark.parametrize(("code", "permanent"), CODES.items())
async def test_documented_refusals(code: str, permanent: bool) -> None:  # noqa: FBT001 - a table
    with pytest.raises(OutsideError) as refused:
        await sf({"apiResultCode": code, "apiResultData": None}).query(PARCEL)
    assert (refused.value.code, refused.value.permanent) == (code, permanent)


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"apiResultCode": "A1000", "apiResultData": "no json"},
        answered({"errorCode": "S0000"}),
        answered({"errorCode": "S0000", "msgData": {"routeResps": [{"routes": 1}]}}),
        answered(
            {
                "errorCode": "S0000",
                "msgData": {"routeResps": [{"mailNo": PARCEL.waybill, "routes": [{"acceptTime": "x"}]}]},
            }
        ),
    ],
)
async def test_what_cannot_be_read_is_transient(answer: Any) -> None:
    with pytest.raises(OutsideError) as refused:
        await sf(answer).query(PARCEL)
    assert (refused.value.code, refused.value.permanent) == ("BAD_ANSWER", False)


async def test_an_error_within_and_a_server_that_is_down() -> None:
    with pytest.raises(OutsideError) as refused:
        await sf(answered({"errorCode": "20028"})).query(PARCEL)
    assert refused.value.code == "20028"
    with pytest.raises(OutsideError) as down:
        await sf({}, 503).query(PARCEL)
    assert (down.value.code, down.value.permanent) == ("HTTP_503", False)


def test_its_settings_are_checked() -> None:
    desk = cast("HttpClient", Desk({}))
    flaws = SfExpress(
        desk, url="http://sf.example", partner_id="", check_word=" ", clock=FixedClock(NOON)
    ).check_config()
    assert len(flaws) == 3
