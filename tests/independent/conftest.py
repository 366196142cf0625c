"""The wallets' Node libraries as judges of our signatures; `make test` installs them."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kit.wallets.wechat.party import Party

_HERE = Path(__file__).parent
Judge = Callable[..., Any]


@pytest.fixture(scope="session")
def judge() -> Judge:
    """Ask for one act with its arguments; answers what the library answered, RuntimeError when it threw."""
    node = shutil.which("node")
    assert node, "Node is missing: `make test` installs it"
    assert (_HERE / "node_modules").is_dir(), "the libraries are missing: `make test` installs them"

    def ask(act: str, **given: Any) -> Any:
        told = json.dumps({"act": act, **given}, ensure_ascii=False).encode()
        # Alipay's library writes the machine's own time where Beijing's is wanted.
        done = subprocess.run(
            [node, "judge.mjs"],
            cwd=_HERE,
            env={**os.environ, "TZ": "Asia/Shanghai"},
            input=told,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        found = json.loads(done.stdout)
        if "error" in found:
            raise RuntimeError(f"{found['error']} {found['body'] or ''}")
        return found["answer"]

    return ask


@pytest.fixture(scope="session")
def merchant() -> Party:
    return Party()


@pytest.fixture(scope="session")
def platform() -> Party:
    return Party()
