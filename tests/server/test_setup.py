import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server import setup
from server.cli import cli
from server.settings import Settings
from server.wiring import CannotStart

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["settings.md", "errors.md"])
def test_the_generated_pages_are_those_committed(name: str):
    assert (DOCS / name).read_text(encoding="utf-8") == setup.documents()[name], "run: yichuang docs write"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A prepared installation."""
    path = tmp_path / "yichuang.toml"
    path.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path}/data/city.db"\n[files]\ndirectory = "{tmp_path}/files"\n'
        f'[crypto]\nkeys_directory = "{tmp_path}/keys"\n'
    )
    assert _run(path, "prepare").exit_code == 0
    return path


def _run(settings: Path, *arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, ["--settings", str(settings), *arguments], input=stdin)


def test_what_is_written_is_the_users_alone(house: Path):
    written = [path for path in house.parent.rglob("*") if path != house and path.suffix != ".pub"]
    assert any(path.name == "city.db" for path in written)
    assert [path for path in written if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_an_account_is_closed_by_its_name_and_cannot_be_signed_in_with(house: Path):
    wanted = ["--username", "li.jian", "--name", "李建国", "--role", "finance", "--password-stdin"]
    made = _run(house, "staff", "create", *wanted, stdin="Correct-horse-7\n")
    staff_id = json.loads(made.stdout)["id"]
    assert _run(house, "staff", "disable", "--username", "Li.Jian").stdout == f"disabled: {staff_id}\n"
    unknown = _run(house, "staff", "disable", "--username", "nobody")
    assert (unknown.exit_code, "没有找到这个账号" in unknown.stderr) == (1, True)


async def test_a_citys_register_is_never_filled_with_fictional_units():
    settings = Settings.model_validate(
        {
            "mode": "city",
            "role": "registry",
            "database": {"url": "mysql://y@db.example/y"},
            "files": {"directory": "/f"},
            "crypto": {"keys_directory": "/k"},
            "http": {"public_base_url": "https://bdc.example"},
            "link": {
                "kind": "http",
                "platform_url": "https://p.example",
                "registry_url": "https://r.example",
                "key_file": "/l",
                "peer_key_file": "/p",
            },
        }
    )
    with pytest.raises(CannotStart, match="real units only"):
        await setup.seed_demo(settings)
    with pytest.raises(CannotStart, match="real units only"):
        await setup.prepare(settings, demo=True)
