"""Settings: one TOML file, overridden by `YICHUANG_SECTION__KEY`, read once into frozen objects.

The sections here are those that kit itself needs; a program's own model names them as its fields. Secrets stand in
files of their own, named by settings that end in `_file`.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PREFIX = "YICHUANG_"
FILE_VARIABLE = f"{PREFIX}SETTINGS"
"""Names the file itself, so no section may be called `settings`."""
_WORLD_READABLE = 0o004

M = TypeVar("M", bound=BaseModel)
BaseUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+(/[^\s]*[^/\s])?$")]


class Section(BaseModel):
    """A frozen group of settings; unknown keys are refused, and errors do not show what was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DatabaseSettings(Section):
    """The one database of a role."""

    url: str = Field(
        pattern=r"^(sqlite|mysql)://",
        description="`sqlite:///relative/path`, `sqlite:////absolute/path` or `mysql://user@host:port/database`",
    )
    password_file: Path | None = Field(default=None, description="File with the database password (MySQL only)")
    pool_size: int = Field(
        default=32, ge=1, le=1000, description="Connections per process; at least the requests it serves at once"
    )

    def password(self) -> str | None:
        """Read the password; None when the URL carries it or none is needed."""
        return read_secret(self.password_file) if self.password_file else None


class FilesSettings(Section):
    """Where uploaded files lie: a folder, or a bucket."""

    directory: Path | None = Field(default=None, description="Folder for files; leave out when a bucket is used")
    s3_bucket: str | None = Field(default=None, description="Name of the S3-compatible bucket")
    s3_endpoint: str | None = Field(default=None, description="Base URL of the S3-compatible service")
    s3_region: str = Field(default="us-east-1", description="Region as the service calls it")
    s3_access_key_id: str | None = Field(default=None, description="Access key id for the bucket")
    s3_secret_access_key_file: Path | None = Field(
        default=None, description="File with the secret access key for the bucket"
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.directory is None) == (self.s3_bucket is None):
            raise ValueError("name either a directory or an s3_bucket")
        if self.s3_bucket and not (self.s3_access_key_id and self.s3_secret_access_key_file):
            raise ValueError("an s3_bucket needs s3_access_key_id and s3_secret_access_key_file")
        return self


class CryptoSettings(Section):
    """The keys that personal data is sealed with."""

    keys_directory: Path = Field(description="Folder of the key ring; only the service's user may read it")


class HttpSettings(Section):
    """The addresses a server listens on and is known by."""

    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on")
    metrics_host: str = Field(
        default="127.0.0.1", description="Address that server and worker answer Prometheus on; never a public one"
    )
    metrics_port: int = Field(default=9100, ge=0, le=65535, description="Port of the Prometheus metrics")
    public_base_url: BaseUrl = Field(
        default="http://127.0.0.1:8000",
        description="Scheme and host (and path) that phones reach us at, without a slash at the end",
    )
    max_body_bytes: int = Field(
        default=1024 * 1024, ge=1024, description="Largest request body in bytes, file uploads apart"
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="How many proxies of ours stand in front and append to X-Forwarded-For"
    )


class WorkerSettings(Section):
    """The process that drains the outbox and the inbox and runs the timers."""

    poll_ms: int = Field(default=250, ge=10, description="Milliseconds between looks when nobody wakes the worker")
    concurrency: int = Field(default=8, ge=1, le=256, description="Rows worked on at once by one process")
    lease_seconds: int = Field(default=60, ge=1, description="Seconds until a row of a dead worker is taken over")
    tidy_seconds: int = Field(default=60, ge=1, description="Seconds between rounds of ending what time has ended")
    wake_path: Path | None = Field(default=None, description="Socket by which a commit wakes the workers of this host")
    metrics_port: int = Field(default=9101, ge=0, le=65535, description="Port of the worker's Prometheus metrics")
    crash_at: str | None = Field(
        default=None,
        pattern=r"^(before|after):.+$",
        description="Test mode only: `before:<handler>` or `after:<handler>`, where the worker kills itself",
    )


class LogSettings(Section):
    """What is written to the log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least important level that is written"
    )


class ClockSettings(Section):
    """The time the service believes it is."""

    offset_file: Path | None = Field(
        default=None, description="Test mode only: file with the seconds by which all processes' clocks are moved"
    )


def load(model: type[M], path: Path | None) -> M:
    """Read `model` from the file, if one is named, and the environment, which wins.

    Raises FileNotFoundError, tomllib.TOMLDecodeError, or pydantic's ValidationError (also for what it does not know).
    """
    if path is not None and not path.is_file():
        raise FileNotFoundError(f"no settings file {path}")
    _refuse_unknown_sections(model)

    class Loader(BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX,
            env_nested_delimiter="__",
            frozen=True,
            extra="forbid",
            hide_input_in_errors=True,
            toml_file=path,
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library calls it with all five
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, TomlConfigSettingsSource(settings_cls)

    loaded = create_model(model.__name__, __base__=(Loader, model))
    return cast("M", loaded())


def read_secret(path: Path) -> str:
    """Read one secret, without the line end; PermissionError if everybody may read it, ValueError if empty."""
    if path.stat().st_mode & _WORLD_READABLE:
        raise PermissionError(f"{path} may be read by everybody; take that right away (chmod o-r)")
    secret = path.read_text(encoding="utf-8").strip()
    if not secret:
        raise ValueError(f"{path} is empty")
    return secret


def _refuse_unknown_sections(model: type[BaseModel]) -> None:
    """A misspelt section in a variable's name would otherwise be passed over in silence."""
    known = {name.lower() for name in model.model_fields}
    for variable in os.environ.keys() - {FILE_VARIABLE}:
        if variable.startswith(PREFIX) and variable[len(PREFIX) :].lower().split("__")[0] not in known:
            raise ValueError(f"{variable} names no section of the settings")
