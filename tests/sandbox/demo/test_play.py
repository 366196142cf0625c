import errno
import os

import pytest

from sandbox.demo import play
from sandbox.phones.journey import NotAsItShould


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/var/x"), "No space left on device: '/var/x'"),
        (NotAsItShould("the fee is 1 fen"), "the fee is 1 fen"),
        (KeyError("fee"), "KeyError('fee')"),
    ],
)
def test_what_went_wrong_is_said_in_words(error: Exception, said: str, capsys: pytest.CaptureFixture[str]):
    play._explain(0, error)
    told = capsys.readouterr().err
    assert said in told
    assert "OSError(" not in told
