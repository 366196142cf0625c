import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.demo.sweep import MEANT_TO_BE_READ
from sandbox.faults import Kind

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "sandbox.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the page's commands say, run one after the other in one shell that stops at the first failure."""
    folder = tmp_path_factory.mktemp("sandbox_doc")
    bin_folder = Path(sys.executable).parent
    script = "set -eu -o pipefail\ntrap 'kill ${SANDBOX_PID:-} 2>/dev/null || true' EXIT\n"
    script += "\n".join(_BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_of_the_page_works(said: str) -> None:
    for expected in (
        '{"status":"ok"}',
        "credentials.json",
        '"key":"Mine1"',
        '"openid":"',
        '"sign":"',
        "503\n",
        '"kind":"stale_clock"',
        '"items":[]',
        '"out_trade_no":"nobodys1"',
        '"offset_seconds":86400.0',
    ):
        assert expected in said, expected


def test_its_books_lie_where_the_demo_lets_people_be_read() -> None:
    folders = re.findall(r"\bvar/(\w+)", PAGE.read_text(encoding="utf-8"))
    assert set(folders) <= set(MEANT_TO_BE_READ)


def test_the_page_has_every_kind_of_fault() -> None:
    table = re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(table) >= set(Kind)


def test_every_control_path_named_exists() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "sandbox" / "control").glob("*.py"))
    served = set(re.findall(r'"(?:GET|POST|PATCH|DELETE) (/[a-z/_-]+)', code))
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"/_control(/[a-z/_-]+)", text))
    named |= set(re.findall(r"`(/(?:wx|pay|alipay|tax|carrier|sms)/[a-z_-]+)`", text))
    assert named
    assert named <= served
