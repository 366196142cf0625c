import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from kit import ids


def test_is_a_uuid_of_version_7():
    made = ids.new_id()
    assert ids.is_id(made)
    parsed = uuid.UUID(made)
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122


def test_carries_the_time_of_its_making():
    before = time.time_ns() // 1_000_000
    made = int(ids.new_id()[:12], 16)
    assert before <= made <= time.time_ns() // 1_000_000 + 1


def test_grows_within_a_process():
    made = [ids.new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_grows_when_the_machines_clock_falls_back(monkeypatch: pytest.MonkeyPatch):
    first = ids.new_id()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000_000)
    assert ids.new_id()[:16] > first[:16]


def test_threads_never_share_a_tick():
    with ThreadPoolExecutor(4) as pool:
        made = [i for part in pool.map(lambda _: [ids.new_id() for _ in range(2_000)], range(4)) for i in part]
    assert len({i[:16] for i in made}) == len(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 32,
        "1bf5e791faca4b9eb8a4419238332a67",
        "019aa0b1c2d37fff8000000000000000\n",
        "019AA0B1C2D37FFF8000000000000000",
    ],
)
def test_other_text_is_no_id(text: str):
    assert not ids.is_id(text)
