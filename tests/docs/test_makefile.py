"""`make setup`, with a stand-in for Python: what it asks of it, and what it makes of an interrupted attempt."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PYTHON = """#!/bin/sh
echo "$*" >> asked
[ "$2" != venv ] || { mkdir -p .venv/bin && cp quiet-python .venv/bin/python; }
"""
_WITHOUT_PIP = '#!/bin/sh\necho "No module named pip" >&2\nexit 1\n'


def _executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with spaces in its name, as somebody's home may have."""
    folder = tmp_path / "my own checkout"
    (folder / "requirements").mkdir(parents=True)
    (folder / ".ci").mkdir()
    for name in ("Makefile", ".ci/need"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "requirements" / "dev.txt").touch()
    (folder / "pyproject.toml").touch()
    _executable(folder / "fake-python", _PYTHON)
    _executable(folder / "quiet-python", "#!/bin/sh\n")
    return folder


def _set_up(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["make", "setup", "PYTHON=./fake-python"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(command, cwd=folder, env=ours, capture_output=True, text=True, check=False)


def _made(folder: Path) -> int:
    return (folder / "asked").read_text().count("-m venv")


def test_a_second_setup_changes_nothing(checkout: Path):
    assert _set_up(checkout).returncode == 0
    assert _set_up(checkout).returncode == 0
    assert _made(checkout) == 1


def test_an_interrupted_setup_is_done_again(checkout: Path):
    _executable(checkout / ".venv" / "bin" / "python", _WITHOUT_PIP)
    done = _set_up(checkout)
    assert done.returncode == 0, done.stderr
    assert _made(checkout) == 1


def test_a_python_that_is_too_old_is_refused_before_anything_is_made(checkout: Path):
    _executable(checkout / "fake-python", _PYTHON + '[ "$1" != -c ] || exit 1\n')
    assert _set_up(checkout).returncode != 0
    assert _made(checkout) == 0
    assert not (checkout / ".venv").exists()
