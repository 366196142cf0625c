"""Alipay's gateway, the residents' door to it and payments through it, from the settings."""

from kit.clock import Clock
from kit.http import HttpClient
from kit.settings import read_secret
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.keys import aes_key, alipay_public_key, app_key
from kit.wallets.alipay.notify import AlipayNotices
from kit.wallets.alipay.signing import AppSigner
from kit.wallets.errors import KeyProblemError
from payments.providers.alipay import AlipayPay, AlipayPayNotices
from server.adapters.alipay_face import AlipayFace
from server.adapters.alipay_login import AlipayLogin, AlipayPhoneNumbers
from server.identity.ports import WalletDoor
from server.settings import AlipaySettings


def open_alipay(section: AlipaySettings, clock: Clock, http: HttpClient) -> tuple[AlipayApi, WalletDoor]:
    """The gateway as one app speaks to it, and login, phone and face over it; OSError or ValueError for a bad key."""
    key = app_key(read_secret(section.app_key_file))
    public_key = alipay_public_key(section.public_key_file.read_text(encoding="utf-8"))
    if public_key == key.public_key():
        raise KeyProblemError(
            f"{section.public_key_file} is the app's own public key; the console shows Alipay's beside it"
        )
    signer = AppSigner(section.app_id, key, clock)
    content_key = aes_key(read_secret(section.aes_key_file))
    api = AlipayApi(http, section.base_url, signer, public_key, aes_key=content_key)
    door = WalletDoor(login=AlipayLogin(api), phones=AlipayPhoneNumbers(public_key, content_key), face=AlipayFace(api))
    return api, door


def open_payments(section: AlipaySettings, api: AlipayApi, public_base_url: str) -> tuple[AlipayPay, AlipayPayNotices]:
    """Trades and refunds over the same gateway, and what opens the notices about them."""
    public_key = alipay_public_key(section.public_key_file.read_text(encoding="utf-8"))
    pay = AlipayPay(api, seller_id=section.seller_id, notify_url=f"{public_base_url}/callbacks/alipay")
    return pay, AlipayPayNotices(AlipayNotices(public_key))
