"""What a city's settings must not be, by file or by environment."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from server.settings import Settings, read

CITY: dict[str, Any] = {
    "mode": "city",
    "role": "platform",
    "database": {"url": "mysql://yichuang@db.platform.example:3306/yichuang"},
    "files": {"directory": "/var/lib/yichuang/files"},
    "crypto": {"keys_directory": "/etc/yichuang/keys"},
    "http": {"public_base_url": "https://bdc.city.example"},
    "wechat": {"app_id": "wx0123456789abcdef", "app_secret_file": "/etc/yichuang/secrets/app"},
    "wechat_pay": {
        "mchid": "1900000001",
        "merchant_serial": "5157F09E",
        "merchant_key_file": "/etc/yichuang/secrets/merchant.pem",
        "platform_keys": {"PUB_KEY_ID_01": "/etc/yichuang/wechat_pay.pem"},
        "platform_key_id": "PUB_KEY_ID_01",
        "apiv3_key_file": "/etc/yichuang/secrets/apiv3",
    },
    "alipay": {
        "app_id": "2021004100000001",
        "app_key_file": "/etc/yichuang/secrets/alipay_app.pem",
        "public_key_file": "/etc/yichuang/alipay.pem",
        "aes_key_file": "/etc/yichuang/secrets/alipay_aes",
        "seller_id": "2088004100000008",
    },
    "sms": {
        "secret_id": "AKID1234567890",
        "secret_key_file": "/etc/yichuang/secrets/sms",
        "app_id": "1400001234",
        "signature": "某市不动产",
        "templates": {"fee_due": "1110"},
    },
    "tax": {
        "base_url": "https://tax.city.example/api",
        "key_id": "city-1",
        "key_file": "/etc/yichuang/secrets/tax.pem",
        "bureau_key_id": "bureau-1",
        "bureau_key_file": "/etc/yichuang/bureau.pem",
    },
    "carrier": {
        "customer": "8D2F0C41",
        "key_file": "/etc/yichuang/secrets/carrier_key",
        "salt_file": "/etc/yichuang/secrets/carrier_salt",
    },
    "carrier_sf": {"partner_id": "YCBDC", "check_word_file": "/etc/yichuang/secrets/sf"},
    "link": {
        "kind": "http",
        "platform_url": "https://platform.extranet.example",
        "registry_url": "https://10.20.30.40:8443",
        "key_file": "/etc/yichuang/secrets/link.pem",
        "peer_key_file": "/etc/yichuang/peer.pem",
    },
}


def city(**changed: Any) -> Settings:
    """`changed` by section and key, with two underscores between."""
    given = {name: dict(value) if isinstance(value, dict) else value for name, value in CITY.items()}
    for name, value in changed.items():
        section, _, key = name.partition("__")
        if key:
            given.setdefault(section, {})[key] = value
        else:
            given[section] = value
    return Settings.model_validate(given)


def test_the_settings_of_a_real_city_are_taken() -> None:
    assert city().mode == "city"
    assert city(wechat=None, wechat_pay=None, alipay=None, tax=None, role="registry").role == "registry"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"test_mode": True}, "test_mode"),
        ({"limits": {"factor": 2}}, "raised limits"),
        ({"database__url": "sqlite:///x.db"}, "MySQL"),
        ({"wechat__app_id": "wxsandbox00000001"}, "wechat.app_id is a sandbox value"),
        ({"wechat__app_secret_file": "/var/Sandbox/app_secret"}, "wechat.app_secret_file is a sandbox value"),
        ({"wechat_pay__platform_keys": {"PUB_KEY_ID_SANDBOX1": "/etc/a.pem"}}, "platform_keys is a sandbox value"),
        ({"carrier__customer": "SANDBOXCUSTOMER1"}, "carrier.customer is a sandbox value"),
        ({"carrier__base_url": "http://poll.kuaidi100.com"}, "carrier.base_url is not https"),
        ({"carrier__base_url": "https://127.0.0.1:9/kuaidi100"}, "carrier.base_url is on this machine"),
        ({"carrier_sf__partner_id": "SANDBOXCITY"}, "carrier_sf.partner_id is a sandbox value"),
        ({"carrier_sf__base_url": "https://localhost/std/service"}, "carrier_sf.base_url is on this machine"),
        ({"alipay__app_id": "2021000000000001"}, "alipay.app_id is a sandbox value"),
        ({"alipay__seller_id": "2088000000000001"}, "alipay.seller_id is a sandbox value"),
        ({"alipay__aes_key_file": "/var/sandbox/alipay_aes_key"}, "alipay.aes_key_file is a sandbox value"),
        ({"alipay__base_url": "https://openapi-sandbox.dl.alipaydev.com/gateway.do"}, "alipay.base_url is a sandbox"),
        ({"alipay__base_url": "https://127.0.0.1:9/alipay/gateway.do"}, "alipay.base_url is on this machine"),
        ({"alipay__base_url": "http://openapi.alipay.com/gateway.do"}, "alipay.base_url is not https"),
        ({"sms__secret_id": "AKIDSANDBOX00000000000000000000000001"}, "sms.secret_id is a sandbox value"),
        ({"sms__secret_key_file": "/srv/sandbox/sms_secret_key"}, "sms.secret_key_file is a sandbox value"),
        ({"sms__base_url": "http://sms.example"}, "sms.base_url"),
        ({"sms__base_url": "https://127.1/sms"}, "sms.base_url is on this machine"),
        ({"tax__bureau_key_id": "tax-sandbox"}, "tax.bureau_key_id is a sandbox value"),
        ({"link__peer_key_file": "/srv/sandbox/peer.pub"}, "link.peer_key_file is a sandbox value"),
        ({"seal": {"directory": "/srv/sandbox/seal"}}, "seal.directory is a sandbox value"),
        ({"wechat__base_url": "https://127.1/wechat"}, "wechat.base_url is on this machine"),
        ({"wechat__base_url": "http://api.weixin.qq.com"}, "wechat.base_url is not https"),
        ({"wechat_pay__base_url": "https://2130706433"}, "wechat_pay.base_url is on this machine"),
        ({"tax__base_url": "https://0.0.0.0:5000/tax"}, "tax.base_url is on this machine"),
        ({"tax__base_url": "https://[::ffff:127.0.0.1]/tax"}, "tax.base_url is on this machine"),
        ({"tax__base_url": "https://LOCALHOST./tax"}, "tax.base_url is on this machine"),
        ({"link__registry_url": "https://127.0.0.1:8001"}, "link.registry_url is on this machine"),
        ({"link__platform_url": "http://platform.extranet.example"}, "link.platform_url is not https"),
        ({"http__public_base_url": "http://bdc.city.example"}, "http.public_base_url is not https"),
        ({"http": {}}, "http.public_base_url is not https"),
        ({"role": "all"}, "both sides in one process need no link over http"),
        ({"link": {}}, "one side alone needs a link"),
    ],
)
def test_what_a_city_refuses(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        city(**changed)


def test_the_environment_is_no_way_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "city.toml"
    path.write_text(
        'mode = "city"\nrole = "registry"\n[database]\nurl = "mysql://y@db.example/y"\n'
        '[files]\ndirectory = "/f"\n[crypto]\nkeys_directory = "/k"\n[http]\npublic_base_url = "https://bdc.example"\n'
        '[link]\nkind = "http"\nplatform_url = "https://p.example"\nregistry_url = "https://r.example"\n'
        'key_file = "/l"\npeer_key_file = "/p"\n'
    )
    assert read(path).mode == "city"
    for name, value in (
        ("LINK__REGISTRY_URL", "https://127.1"),
        ("TEST_MODE", "true"),
        ("LIMITS__FACTOR", "1000"),
        ("DATABASE__URL", "sqlite:///x.db"),
    ):
        with monkeypatch.context() as one:
            one.setenv(f"YICHUANG_{name}", value)
            with pytest.raises(ValidationError):
                read(path)
