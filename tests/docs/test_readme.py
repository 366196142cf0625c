import importlib
import os
import re
import subprocess
from pathlib import Path

import click
import pytest

from server.settings import read

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!`)\]\(([^)\s]+)\)")
_REGISTRY_HOSTS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "proxy.golang" + ".org",
)
_COMMAND = re.compile(r"(?<![\w/.])yichuang ([a-z]+)(?: ([a-z]+))?([^\n]*)")
_HOMES = re.compile(r"/(?:home|Users)/[a-z][a-z0-9_-]*/|/roo[t]/|[A-Z]:\\Users\\")


def _committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def _pages() -> list[Path]:
    return [path for path in _committed() if path.suffix == ".md"]


def _code(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    fenced = "\n".join(body for language, body in _FENCE.findall(text) if language in {"sh", ""})
    return fenced + "\n" + "\n".join(re.findall(r"`([^`\n]+)`", _FENCE.sub("", text)))


def _toml(page: Path) -> list[str]:
    return [body for language, body in _FENCE.findall(page.read_text(encoding="utf-8")) if language == "toml"]


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_every_make_target_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", _code(page)))
    assert {"demo", "run", "test", "check"} <= named
    assert named <= targets


@pytest.mark.parametrize(
    "page", [page for page in _pages() if _COMMAND.search(_code(page))], ids=lambda page: page.name
)
def test_every_yichuang_command_named_exists_with_its_options(page: Path) -> None:
    group: click.Group = importlib.import_module("server.cli").cli
    for first, second, rest in _COMMAND.findall(_code(page)):
        command = group.commands.get(first)
        assert command is not None, f"yichuang {first}"
        if isinstance(command, click.Group) and second:
            assert second in command.commands, f"yichuang {first} {second}"
            command = command.commands[second]
        known = {option for each in command.params for option in each.opts}
        assert set(re.findall(r"(?<![\w-])--[a-z-]+", rest.split("#")[0])) <= known, f"yichuang {first} {second} {rest}"


def test_every_account_shown_may_have_its_name() -> None:
    rules = importlib.import_module("server.staff.rules")
    shown = [name for page in _pages() for name in re.findall(r"--username (\S+)", _code(page))]
    assert shown
    for name in shown:
        rules.check_username(name)


def test_both_readmes_name_the_same_commands_and_settings() -> None:
    english, chinese = READMES
    assert _toml(english)[1] == _toml(chinese)[1]
    commands = [set(re.findall(r"\b(?:make|yichuang) [a-z]+", _code(page))) for page in READMES]
    assert commands[0] == commands[1]


@pytest.mark.parametrize("role", ["platform", "registry"])
@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_settings_shown_are_settings(
    page: Path, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("YICHUANG_")]:
        monkeypatch.delenv(name)
    (shown,) = [text for text in _toml(page) if f'role = "{role}"' in text]
    text = shown.replace("/etc/yichuang", str(tmp_path))
    for secret in re.findall(rf'"({re.escape(str(tmp_path))}[^"]*\.pem|[^"]*/secrets/[^"]*)"', text):
        Path(secret).parent.mkdir(parents=True, exist_ok=True)
        Path(secret).write_text("a secret\n")
        Path(secret).chmod(0o600)
    path = tmp_path / "yichuang.toml"
    path.write_text(text, encoding="utf-8")
    settings = read(path)
    assert (settings.mode, settings.role) == ("city", role)
    assert settings.database.password() == "a secret"


def test_every_relative_link_leads_somewhere() -> None:
    broken = []
    for page in _pages():
        text = _FENCE.sub("", page.read_text(encoding="utf-8"))
        for target in _LINK.findall(text):
            if "://" in target or target.startswith(("#", "mailto:")):
                continue
            if not (page.parent / target.split("#")[0]).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def test_the_glossary_has_one_term_for_each() -> None:
    lines = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]
    assert len(rows) > 60
    for column in (0, 1):
        terms = [term for row in rows for term in row[column].lower().split("、")]
        assert sorted(terms) == sorted(set(terms))


def test_no_committed_text_names_a_package_registry_or_somebodys_machine() -> None:
    found = []
    for path in _committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        hosts = [host for host in _REGISTRY_HOSTS if host in text]
        found += [f"{path.relative_to(ROOT)}: {word}" for word in [*hosts, *_HOMES.findall(text)]]
    assert not found
