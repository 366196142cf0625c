import os
import time

import pytest

from bench import cpu

STAT = (
    "4711 (a (strange) name) S 1 4711 4711 0 -1 4194304 2113 0 0 0 "
    "1234 66 7 8 20 0 3 0 812345 123456789 4321 18446744073709551615"
)


def test_user_and_system_time_are_found_behind_any_name():
    assert cpu.ticks(STAT) == 1234 + 66


def test_time_that_is_used_is_seen():
    before = cpu.seconds(os.getpid())
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    assert 0.05 <= cpu.seconds(os.getpid()) - before < 2.0


def test_a_process_that_is_gone_has_no_time():
    with pytest.raises(FileNotFoundError):
        cpu.seconds(2**22 + 1)
