from pathlib import Path

import pytest

from sandbox.phones.journey import NotAsItShould
from sandbox.phones.outside import OutsideWorld
from sandbox.run.installation import free_ports


def test_a_sandbox_that_is_gone_is_named(tmp_path: Path):
    outside = OutsideWorld(f"http://127.0.0.1:{free_ports()[0]}", tmp_path)
    with pytest.raises(NotAsItShould, match="the sandbox does not answer POST /wx/login"):
        outside.do("/wx/login", person="P1")
    outside.close()
