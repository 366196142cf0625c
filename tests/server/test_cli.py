import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sandbox.run.processes import ROOT, environment
from server.cli import cli

GOOD = """
[database]
url = "sqlite:///nowhere.db"
[files]
directory = "files"
[crypto]
keys_directory = "keys"
"""


def _run(folder: Path, text: str | None, *arguments: str) -> Result:
    path = folder / "yichuang.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli, ["--settings", str(path), *arguments])


@pytest.mark.parametrize("command", [["serve"], ["work"], ["up"], ["prepare"], ["check"], ["migrate"]])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no settings file"),
        ("database =", "(at end of document)"),
        (GOOD + "[http]\nport = 'many'\n", "http.port: Input should be a valid integer"),
        (GOOD + "[https]\nport = 1\n", "https: Extra inputs are not permitted"),
        (GOOD.replace("[database]", "[base]"), "database: Field required; base: Extra inputs"),
        (GOOD + "[worker]\ncrash_at = 'before:x'\n", "crash_at and offset_file are for test_mode"),
    ],
)
def test_wrong_settings_are_one_line_and_no_traceback(tmp_path: Path, command: list[str], text: str | None, says: str):
    result = _run(tmp_path, text, *command)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: settings: ")
    assert says in line
    assert isinstance(result.exception, SystemExit)


def test_a_variable_that_names_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YICHUANG_HTPP__PORT", "1")
    result = _run(tmp_path, GOOD, "serve")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: settings: YICHUANG_HTPP__PORT names no section of the settings\n",
    )


def test_the_file_may_be_named_by_a_variable_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    named = tmp_path / "elsewhere.toml"
    named.write_text(GOOD.replace("nowhere.db", f"{tmp_path}/here.db"), encoding="utf-8")
    monkeypatch.setenv("YICHUANG_SETTINGS", str(named))
    result = CliRunner().invoke(cli, ["migrate"])
    assert (result.exit_code, result.stdout) == (0, "the database is up to date\n")
    assert (tmp_path / "here.db").exists()


def test_settings_errors_do_not_show_what_was_written(tmp_path: Path):
    result = _run(tmp_path, GOOD.replace("sqlite:///nowhere.db", "postgres://u:hunter2@h/d"), "serve")
    assert result.exit_code == 2
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("command", "spared"),
    [
        ("--help", ["pydantic", "httpx", "sanic", "tortoise", "pyhanko", "cryptography"]),
        ("up --help", ["pydantic", "sanic", "tortoise"]),
    ],
)
def test_help_loads_nothing_of_the_house(command: str, spared: list[str]):
    code = (
        f"import sys; sys.argv = ['yichuang', *{command.split()!r}]\n"
        "from server.cli import cli\n"
        "try:\n    cli()\n"
        "except SystemExit:\n    print('loaded', *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert "Usage:" in done.stdout
    loaded = done.stdout.splitlines()[-1].split()
    assert loaded[0] == "loaded"
    assert not set(spared) & set(loaded)


def test_the_server_loads_no_library_of_the_seal():
    code = "import sys, server.main, server.setup; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert not {"pyhanko", "asn1crypto"} & set(done.stdout.split())


def test_the_generated_pages_are_written_into_the_folder_named(tmp_path: Path):
    result = CliRunner().invoke(cli, ["docs", "write", "--folder", str(tmp_path)])
    assert result.exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["errors.md", "settings.md"]


def test_an_account_that_cannot_be_is_refused_with_its_reason(tmp_path: Path):
    text = GOOD.replace("nowhere.db", f"{tmp_path}/city.db")
    text = text.replace('"files"', f'"{tmp_path}/files"').replace('"keys"', f'"{tmp_path}/keys"')
    assert _run(tmp_path, text, "prepare").exit_code == 0
    wanted = ["--username", "li", "--name", "李登记", "--role", "officer", "--password-stdin"]
    result = CliRunner().invoke(
        cli, ["--settings", str(tmp_path / "yichuang.toml"), "staff", "create", *wanted], input="short\n"
    )
    assert result.exit_code == 1
    assert "username" in result.stderr
    assert "Traceback" not in result.output
