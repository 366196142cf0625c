"""The sandbox as a process, and what a city is given by its partners."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox import credentials
from sandbox.alipay.messages import LONG_TERM
from sandbox.run.processes import Process, python

_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Partners:
    """All of them at `url`; `directory` holds their books and the city's credentials."""

    url: str
    directory: Path
    process: Process

    def sections(self) -> dict[str, dict[str, Any]]:
        """The settings by which the product reaches them."""
        given = self.directory / "credentials"
        ids = json.loads((given / "credentials.json").read_text(encoding="utf-8"))
        return {
            **_wallets(self.url, given, ids),
            **_messages(self.url, given, ids),
            **_authorities(self.url, given, ids),
            **_carriers(self.url, given, ids),
        }


def _wallets(url: str, given: Path, ids: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "wechat": {
            "base_url": f"{url}/wechat",
            "app_id": ids["app_id"],
            "app_secret_file": given / "app_secret",
            "templates": ids["templates"],
        },
        "wechat_pay": {
            "base_url": url,
            "mchid": ids["mchid"],
            "merchant_serial": ids["merchant_serial"],
            "merchant_key_file": given / "merchant_key.pem",
            "platform_keys": {ids["wechatpay_public_key_id"]: given / "wechatpay_public_key.pem"},
            "platform_key_id": ids["wechatpay_public_key_id"],
            "apiv3_key_file": given / "apiv3_key",
        },
        "alipay": {
            "base_url": f"{url}/alipay/gateway.do",
            "app_id": ids["alipay_app_id"],
            "app_key_file": given / "alipay_app_key.pem",
            "public_key_file": given / "alipay_public_key.pem",
            "aes_key_file": given / "alipay_aes_key",
            "seller_id": ids["alipay_seller_id"],
            "templates": ids["alipay_templates"],
            "bill_hosts": [urlsplit(url).netloc],
        },
    }


def _messages(url: str, given: Path, ids: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "sms": {
            "base_url": f"{url}/sms",
            "secret_id": ids["sms_secret_id"],
            "secret_key_file": given / "sms_secret_key",
            "app_id": ids["sms_app_id"],
            "signature": ids["sms_signature"],
            "templates": ids["sms_templates"],
        },
        "notifications": {"alipay_standing": sorted(LONG_TERM)},
    }


def _authorities(url: str, given: Path, ids: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "tax": {
            "base_url": f"{url}/tax",
            "key_id": ids["city_key_id"],
            "key_file": given / "city_tax_key.pem",
            "bureau_key_id": ids["tax_key_id"],
            "bureau_key_file": given / "tax_bureau_public.pem",
        },
        "departments": {
            "base_url": f"{url}/departments",
            "key_id": ids["city_key_id"],
            "key_file": given / "city_hub_key.pem",
            "hub_key_id": ids["hub_key_id"],
            "hub_key_file": given / "hub_public.pem",
        },
    }


def _carriers(url: str, given: Path, ids: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "carrier": {
            "base_url": f"{url}/kuaidi100",
            "customer": ids["carrier_customer"],
            "key_file": given / "carrier_key",
            "salt_file": given / "carrier_salt",
        },
        "carrier_sf": {
            "base_url": f"{url}/sf/std/service",
            "partner_id": ids["sf_partner_id"],
            "check_word_file": given / "sf_check_word",
        },
    }


def start(directory: Path, *, time_scale: float, fresh_books: bool) -> Partners:
    """Make keys where there are none and serve; `fresh_books` forgets what happened before."""
    credentials.init(directory)
    if fresh_books:
        shutil.rmtree(directory / "books", ignore_errors=True)
    ready = directory / "ready"
    ready.unlink(missing_ok=True)
    options = ["--port", "0", "--time-scale", str(time_scale), "--ready-file", str(ready)]
    process = Process("sandbox", python("-m", "sandbox", "serve", str(directory), *options), directory / "sandbox.log")
    try:
        port = process.wait_for(ready, seconds=_START_SECONDS)
    except BaseException:
        process.stop()
        raise
    return Partners(f"http://127.0.0.1:{port}", directory, process)
