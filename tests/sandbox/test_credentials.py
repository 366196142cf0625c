import json
import stat
from pathlib import Path

from sandbox import credentials
from sandbox.templates import TEMPLATE_NAMES


def test_init_is_done_once(directory: Path):
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    assert credentials.init(directory) is False
    assert {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()} == before


def test_the_city_gets_its_own_keys_and_the_partners_public_ones(directory: Path):
    given = {path.name for path in (directory / "credentials").iterdir()}
    assert given == {
        "credentials.json",
        "app_secret",
        "apiv3_key",
        "merchant_key.pem",
        "wechatpay_public_key.pem",
        "city_tax_key.pem",
        "tax_bureau_public.pem",
        "city_hub_key.pem",
        "hub_public.pem",
        "alipay_app_key.pem",
        "alipay_public_key.pem",
        "alipay_aes_key",
        "carrier_key",
        "carrier_salt",
        "sf_check_word",
        "sms_secret_key",
    }
    for path in (directory / "credentials").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ids = json.loads((directory / "credentials" / "credentials.json").read_text())
    assert ids["wechatpay_public_key_id"] == "PUB_KEY_ID_SANDBOX0000000000000001"
    assert ids["templates"].keys() == ids["alipay_templates"].keys() == set(TEMPLATE_NAMES)
    assert len((directory / "credentials" / "apiv3_key").read_bytes()) == 32
    merchant_key = (directory / "credentials" / "merchant_key.pem").read_text()
    assert merchant_key.startswith("-----BEGIN PRIVATE KEY-----")  # PKCS#8: the SDK reads nothing else
