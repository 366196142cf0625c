from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from kit import settings
from kit.settings import (
    ClockSettings,
    CryptoSettings,
    DatabaseSettings,
    FilesSettings,
    HttpSettings,
    LogSettings,
    Section,
    WorkerSettings,
    load,
    read_secret,
)


class Program(Section):
    database: DatabaseSettings
    http: HttpSettings = Field(default_factory=HttpSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "yichuang.toml"
    path.write_text('[database]\nurl = "sqlite:///var/x.db"\npool_size = 8\n[http]\nport = 9000\n')
    return path


def test_the_file_is_read_and_defaults_fill_the_rest(toml: Path):
    found = load(Program, toml)
    assert isinstance(found, Program)
    assert found.database == DatabaseSettings(url="sqlite:///var/x.db", pool_size=8)
    assert (found.http.port, found.http.host, found.worker.poll_ms) == (9000, "127.0.0.1", 250)


def test_the_environment_wins_key_by_key(toml: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YICHUANG_HTTP__PORT", "9001")
    monkeypatch.setenv("YICHUANG_WORKER__CRASH_AT", "before:relay.forward")
    found = load(Program, toml)
    assert (found.http.port, found.worker.crash_at, found.database.pool_size) == (9001, "before:relay.forward", 8)


def test_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YICHUANG_DATABASE__URL", "mysql://u@h:3306/d")
    assert load(Program, None).database.url == "mysql://u@h:3306/d"


def test_settings_do_not_change(toml: Path):
    found = load(Program, toml)
    with pytest.raises(ValidationError):
        found.http = HttpSettings()  # type: ignore[misc]
    with pytest.raises(ValidationError):
        found.http.port = 1  # type: ignore[misc]


@pytest.mark.parametrize("line", ["[nope]\n", "[worker]\nnope = 1\n", "[worker]\nconcurrency = 0\n"])
def test_what_is_not_known_or_wrong_in_the_file_is_refused(toml: Path, line: str):
    toml.write_text(toml.read_text() + line)
    with pytest.raises(ValidationError):
        load(Program, toml)


@pytest.mark.parametrize("variable", ["YICHUANG_HTPP__PORT", "YICHUANG_HTTP__PROT"])
def test_a_misspelt_variable_is_refused(toml: Path, monkeypatch: pytest.MonkeyPatch, variable: str):
    monkeypatch.setenv(variable, "1")
    with pytest.raises(ValueError, match=r"HTPP|PROT|prot"):
        load(Program, toml)


def test_errors_do_not_show_what_was_written(toml: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YICHUANG_DATABASE__URL", "postgres://u:hunter2@h/d")
    with pytest.raises(ValidationError) as caught:
        load(Program, toml)
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no settings file"):
        load(Program, tmp_path / "absent.toml")


def test_secrets_come_from_files_not_open_to_all(tmp_path: Path):
    path = tmp_path / "password"
    path.write_text("hunter2\n")
    path.chmod(0o640)
    assert DatabaseSettings(url="mysql://u@h/d", password_file=path).password() == "hunter2"
    path.chmod(0o644)
    with pytest.raises(PermissionError, match="everybody"):
        read_secret(path)
    path.write_text("\n")
    path.chmod(0o600)
    with pytest.raises(ValueError, match="empty"):
        read_secret(path)


def test_no_password_file_no_password():
    assert DatabaseSettings(url="sqlite:///x").password() is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"directory": "d", "s3_bucket": "b", "s3_access_key_id": "k", "s3_secret_access_key_file": "f"},
        {"s3_bucket": "b"},
    ],
)
def test_files_lie_in_one_place(given: dict[str, str]):
    with pytest.raises(ValidationError):
        FilesSettings.model_validate(given)


@pytest.mark.parametrize("url", ["https://window.example", "https://window.example/a", "http://127.0.0.1:80"])
def test_a_public_address_has_no_slash_at_its_end(url: str):
    assert HttpSettings(public_base_url=url).public_base_url == url
    with pytest.raises(ValidationError):
        HttpSettings(public_base_url=url + "/")


def test_every_setting_is_described():
    sections = [
        DatabaseSettings,
        FilesSettings,
        CryptoSettings,
        HttpSettings,
        WorkerSettings,
        LogSettings,
        ClockSettings,
    ]
    undescribed = [
        f"{section.__name__}.{name}"
        for section in sections
        for name, field in section.model_fields.items()
        if not field.description
    ]
    assert undescribed == []
    assert set(sections) | {Section} >= {
        v for v in vars(settings).values() if isinstance(v, type) and issubclass(v, Section)
    }
