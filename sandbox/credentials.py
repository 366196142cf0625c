"""Keys and ids of both sides, made once: `credentials/` is what the city was given, `partners/` what they kept."""

import json
import secrets
import string
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from sandbox.templates import SMS_TEXTS, TEMPLATE_NAMES

APP_ID = "wxsandbox00000001"
MERCHANT_ID = "1900000109"
WECHATPAY_KEY_ID = "PUB_KEY_ID_SANDBOX0000000000000001"
TAX_KEY_ID = "tax-sandbox"
HUB_KEY_ID = "hub-sandbox"
CITY_KEY_ID = "city-sandbox"
ALIPAY_APP_ID = "2021000000000001"
ALIPAY_SELLER_ID = "2088000000000001"
SMS_APP_ID = "1400006666"
SMS_SECRET_ID = "AKIDSANDBOX00000000000000000000000001"  # noqa: S105 - the id of a secret, none itself
SMS_SIGNATURE = "一窗演示"
CARRIER_CUSTOMER = "SANDBOXCUSTOMER0000000000000001"
SF_PARTNER_ID = "SANDBOXCITY"

_ALPHANUMERIC = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Keys:
    """What the partners know: their own private keys, the city's public ones, the shared secrets."""

    app_id: str
    mchid: str
    merchant_serial: str
    wechatpay_public_key_id: str
    tax_key_id: str
    hub_key_id: str
    city_key_id: str
    templates: dict[str, str]
    app_secret: str
    apiv3_key: bytes
    wechatpay_key: RSAPrivateKey
    merchant_public: RSAPublicKey
    tax_bureau_key: Ed25519PrivateKey
    city_tax_public: Ed25519PublicKey
    hub_key: Ed25519PrivateKey
    city_hub_public: Ed25519PublicKey
    alipay_app_id: str
    alipay_seller_id: str
    alipay_templates: dict[str, str]
    alipay_key: RSAPrivateKey
    alipay_app_public: RSAPublicKey
    alipay_aes_key: bytes
    sms_app_id: str
    sms_secret_id: str
    sms_signature: str
    sms_templates: dict[str, str]
    sms_secret_key: str
    carrier_customer: str
    carrier_key: str
    sf_partner_id: str
    sf_check_word: str


def init(directory: Path) -> bool:
    """Make every key and id under `directory`, anew where an earlier sandbox knew fewer; False when all are there."""
    city, partners = directory / "credentials", directory / "partners"
    if _is_complete(city / "credentials.json"):
        return False
    for folder in (city, partners):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_wechat_pay_keys(city, partners)
    _make_tax_keys(city, partners)
    _make_hub_keys(city, partners)
    _make_alipay_keys(city, partners)
    _make_carrier_keys(city)
    _write(city / "sms_secret_key", _text(32))
    _write(city / "app_secret", secrets.token_hex(16))
    _write(city / "apiv3_key", _text(32))
    # The ids come last: their presence says that everything else is there.
    _write(city / "credentials.json", json.dumps(_ids(), indent=2) + "\n")
    return True


def load(directory: Path) -> Keys:
    """What `init` made; raises FileNotFoundError when it has not run."""
    city, partners = directory / "credentials", directory / "partners"
    ids: dict[str, Any] = json.loads((city / "credentials.json").read_text())
    return Keys(
        **ids,
        app_secret=(city / "app_secret").read_text(),
        sms_secret_key=(city / "sms_secret_key").read_text(),
        carrier_key=(city / "carrier_key").read_text(),
        sf_check_word=(city / "sf_check_word").read_text(),
        apiv3_key=(city / "apiv3_key").read_bytes(),
        wechatpay_key=cast("RSAPrivateKey", _private(partners / "wechatpay_key.pem")),
        merchant_public=cast("RSAPublicKey", _public(partners / "merchant_public.pem")),
        tax_bureau_key=cast("Ed25519PrivateKey", _private(partners / "tax_bureau_key.pem")),
        city_tax_public=cast("Ed25519PublicKey", _public(partners / "city_tax_public.pem")),
        hub_key=cast("Ed25519PrivateKey", _private(partners / "hub_key.pem")),
        city_hub_public=cast("Ed25519PublicKey", _public(partners / "city_hub_public.pem")),
        alipay_key=cast("RSAPrivateKey", _private(partners / "alipay_key.pem")),
        alipay_app_public=cast("RSAPublicKey", _public(partners / "alipay_app_public.pem")),
        alipay_aes_key=b64decode((city / "alipay_aes_key").read_text()),
    )


def _is_complete(file: Path) -> bool:
    if not file.exists():
        return False
    there, wanted = json.loads(file.read_text()), _ids()
    if there.keys() != wanted.keys():
        return False
    return all(there[name].keys() == wanted[name].keys() for name in ("templates", "alipay_templates", "sms_templates"))


def _ids() -> dict[str, Any]:
    return {
        "app_id": APP_ID,
        "mchid": MERCHANT_ID,
        "merchant_serial": secrets.token_hex(20).upper(),
        "wechatpay_public_key_id": WECHATPAY_KEY_ID,
        "tax_key_id": TAX_KEY_ID,
        "hub_key_id": HUB_KEY_ID,
        "city_key_id": CITY_KEY_ID,
        "sms_app_id": SMS_APP_ID,
        "sms_secret_id": SMS_SECRET_ID,
        "sms_signature": SMS_SIGNATURE,
        "sms_templates": {name: str(1_000_000 + place) for place, name in enumerate(SMS_TEXTS)},
        "carrier_customer": CARRIER_CUSTOMER,
        "sf_partner_id": SF_PARTNER_ID,
        "templates": {name: _text(43) for name in TEMPLATE_NAMES},
        "alipay_app_id": ALIPAY_APP_ID,
        "alipay_seller_id": ALIPAY_SELLER_ID,
        "alipay_templates": {name: secrets.token_hex(16) for name in TEMPLATE_NAMES},
    }


def _make_wechat_pay_keys(city: Path, partners: Path) -> None:
    _write_pair(_new_rsa(), city / "merchant_key.pem", partners / "merchant_public.pem")
    _write_pair(_new_rsa(), partners / "wechatpay_key.pem", city / "wechatpay_public_key.pem")


def _make_alipay_keys(city: Path, partners: Path) -> None:
    _write_pair(_new_rsa(), city / "alipay_app_key.pem", partners / "alipay_app_public.pem")
    _write_pair(_new_rsa(), partners / "alipay_key.pem", city / "alipay_public_key.pem")
    _write(city / "alipay_aes_key", b64encode(secrets.token_bytes(16)).decode())


def _make_tax_keys(city: Path, partners: Path) -> None:
    _write_pair(Ed25519PrivateKey.generate(), city / "city_tax_key.pem", partners / "city_tax_public.pem")
    _write_pair(Ed25519PrivateKey.generate(), partners / "tax_bureau_key.pem", city / "tax_bureau_public.pem")


def _make_hub_keys(city: Path, partners: Path) -> None:
    _write_pair(Ed25519PrivateKey.generate(), city / "city_hub_key.pem", partners / "city_hub_public.pem")
    _write_pair(Ed25519PrivateKey.generate(), partners / "hub_key.pem", city / "hub_public.pem")


def _make_carrier_keys(city: Path) -> None:
    """kuaidi100 and SF share their secrets with the city; the salt of pushes is the city's own to choose."""
    _write(city / "carrier_key", _text(16))
    _write(city / "carrier_salt", _text(32))
    _write(city / "sf_check_word", _text(32))


def _text(length: int) -> str:
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


def _new_rsa() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def _write_pair(key: RSAPrivateKey | Ed25519PrivateKey, private: Path, public: Path) -> None:
    """Each half where its holder looks for it."""
    _write(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    _write(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def _private(path: Path) -> object:
    return load_pem_private_key(path.read_bytes(), password=None)


def _public(path: Path) -> object:
    return load_pem_public_key(path.read_bytes())


def _write(path: Path, text: str) -> None:
    """Readable by its owner only, and never half-written."""
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)
