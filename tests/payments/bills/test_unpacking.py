import gzip
import io
import zipfile

import pytest

from payments.bills.bill import UnreadableBill
from payments.bills.unpacking import gunzipped, members


def test_a_gzip_file_and_a_plain_one() -> None:
    assert gunzipped(gzip.compress(b"bill")) == b"bill"
    assert gunzipped(b"bill") == b"bill"


def test_a_bomb_is_stopped_before_it_goes_off() -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(UnreadableBill, match="too large"):
        gunzipped(bomb, most=1_000_000)
    with pytest.raises(UnreadableBill, match="too large"):
        gunzipped(b"0" * 11, most=10)
    with pytest.raises(UnreadableBill, match="too large"):
        list(members(_zip(b"0" * 20_000_000), most=1_000_000))
    with pytest.raises(UnreadableBill, match="too large"):
        list(members(_zip(b"0" * 600_000, b"1" * 600_000), most=1_000_000))


def test_a_zip_whose_header_lies_about_its_size() -> None:
    raw = bytearray(_zip(b"0" * 5_000_000))
    place = raw.rfind(b"PK\x01\x02")
    raw[place + 24 : place + 28] = (10).to_bytes(4, "little")
    with pytest.raises(UnreadableBill):
        assert sum(map(len, members(bytes(raw), most=1000))) > 1000


def test_what_is_damaged_or_locked() -> None:
    raw = _zip(b"bill")
    locked = bytearray(raw)
    locked[raw.rfind(b"PK\x01\x02") + 8] |= 1
    for broken in (b"", raw[:-10], bytes(locked)):
        with pytest.raises(UnreadableBill):
            list(members(broken))
    with pytest.raises(UnreadableBill, match="damaged"):
        gunzipped(gzip.compress(b"bill" * 100)[:-9])


def _zip(*contents: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(str(number), content)
    return made.getvalue()
