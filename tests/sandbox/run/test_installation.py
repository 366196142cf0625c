"""The settings written for the product are settings that the product reads."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import credentials
from sandbox.run import houses
from sandbox.run.installation import Installation, free_ports, is_free
from sandbox.run.partners import Partners
from sandbox.run.processes import Process, ProcessFailed
from server.settings import read


@pytest.fixture
def partners(tmp_path: Path) -> Iterator[Partners]:
    """As if they served: only their credentials are looked at."""
    credentials.init(tmp_path / "sandbox")
    process = Process("stand-in", [sys.executable, "-V"], tmp_path / "log")
    yield Partners("http://127.0.0.1:5001", tmp_path / "sandbox", process)
    process.stop()


def test_the_embedded_settings_are_read(tmp_path: Path, partners: Partners):
    house = Installation(tmp_path / "house", "all", (8001, 8002, 8003))
    house.write_settings({**partners.sections(), "seal": {"directory": house.folder / "seal"}})
    settings = read(house.settings_file)
    assert settings.database.url == f"sqlite:///{tmp_path}/house/data/yichuang.db"
    assert settings.http.public_base_url == "http://127.0.0.1:8001"
    assert settings.wechat is not None
    assert "case_accepted" in settings.wechat.templates
    assert settings.wechat_pay is not None
    assert settings.wechat_pay.platform_keys[settings.wechat_pay.platform_key_id].is_file()
    assert settings.tax is not None
    assert settings.tax.key_file.is_file()


def test_each_side_of_two_knows_where_the_other_is(tmp_path: Path, partners: Partners):
    platform = Installation(tmp_path / "platform", "platform", (8001, 8002, 8005))
    registry = Installation(tmp_path / "registry", "registry", (8003, 8004, 8006))
    houses.write_split(platform, registry, partners)
    here, there = read(platform.settings_file), read(registry.settings_file)
    assert (here.role, there.role) == ("platform", "registry")
    assert here.link.kind == there.link.kind == "http"
    assert (here.link.platform_url, here.link.registry_url) == ("http://127.0.0.1:8001", "http://127.0.0.1:8003")
    assert here.link.key_file is not None
    assert there.link.peer_key_file == here.link.key_file.with_name("key.pem.pub")
    assert there.http.public_base_url == here.http.public_base_url
    assert here.seal.directory is None
    assert here.seal.credential_keys == (registry.credential_key,)
    assert there.wechat is None


def test_free_ports_are_different_and_free():
    ports = free_ports()
    assert len(set(ports)) == 3
    assert all(map(is_free, ports))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert not is_free(taken.getsockname()[1])


def test_a_command_that_fails_says_why(tmp_path: Path):
    house = Installation(tmp_path, "all", (1, 2, 3))
    house.write_settings({})
    with pytest.raises(ProcessFailed, match="no-such-command"):
        house.command("no-such-command")
