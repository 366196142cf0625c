from pathlib import Path
from typing import Any

import pytest

from kit.clock import SystemClock
from notifications.rules import Agreement
from sandbox import credentials
from sandbox.run.partners import Partners as Sandbox
from server.settings import Settings
from server.wiring.connect import connect
from server.wiring.partners import Partners


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("messages")
    credentials.init(folder / "sandbox")
    sections = Sandbox("http://127.0.0.1:9", folder / "sandbox", process=None).sections()  # type: ignore[arg-type]
    rest = {"database": {"url": "sqlite:///x.db"}, "files": {"directory": folder}, "crypto": {"keys_directory": folder}}
    return {**rest, **sections}


def _connected(given: dict[str, Any]) -> Partners:
    return connect(Settings.model_validate(given), SystemClock())


def test_every_way_that_is_configured_is_there(given: dict[str, Any]) -> None:
    partners = _connected(given)
    assert set(partners.channels) == {"wechat", "alipay", "sms"}
    assert set(partners.receipts) == {"sms"}
    assert partners.channels["alipay"].agreement("case_accepted") is Agreement.STANDING
    assert partners.channels["sms"].template_id("fee_due") is not None


def test_a_way_that_is_not_configured_is_none(given: dict[str, Any]) -> None:
    partners = _connected({name: value for name, value in given.items() if name not in {"sms", "alipay"}})
    assert set(partners.channels) == {"wechat"}
    assert partners.receipts == {}


def test_the_limits_are_the_settings(given: dict[str, Any]) -> None:
    changed = {**given, "notifications": {"alipay_value_chars": 20, "sms_param_chars": 12}}
    limits = _connected(changed).limits
    assert (limits.alipay_value, limits.sms_param, limits.alipay_data) == (20, 12, 2048)


def test_a_template_that_is_none_of_ours_is_told(given: dict[str, Any]) -> None:
    wrong = {**given, "sms": {**given["sms"], "templates": {"nope": "1"}}}
    channels: dict[str, Any] = dict(_connected(wrong).channels)
    flaws = {name: each.check_config() for name, each in channels.items()}
    assert flaws == {"wechat": [], "alipay": [], "sms": ["nope is no template of ours"]}


def test_a_secret_that_is_not_there_stops_the_start(given: dict[str, Any], tmp_path: Path) -> None:
    lost = {**given, "sms": {**given["sms"], "secret_key_file": tmp_path / "none"}}
    with pytest.raises(FileNotFoundError):
        _connected(lost)
