"""The outside systems that the settings name, each connected in its own way."""

from kit.clock import Clock
from kit.http.signing import RequestSigner, RequestVerifier
from kit.settings import read_secret
from kit.wallets.wechat.pay.callback import PayNotices
from kit.wallets.wechat.pay.client import PayTransport
from kit.wallets.wechat.pay.keys import merchant_key, platform_keys
from kit.wallets.wechat.pay.signing import MerchantSigner
from kit.wallets.wechat.token import StableToken
from kit.wallets.wechat.transport import WechatApi
from notifications.channels.wechat import WechatChannel
from payments.providers.alipay_bills import AlipayBills
from payments.providers.wechat_bills import WechatBills
from payments.providers.wechat_pay import WechatPay, WechatPayNotices
from server.adapters.carrier_kuaidi100 import PUSH_PATH, Kuaidi100, Kuaidi100Pushes
from server.adapters.carrier_sf import SfExpress
from server.adapters.departments import HubDepartments
from server.adapters.face import WechatFace
from server.adapters.tax import NOTICE_PATH, SignedTaxBureau
from server.adapters.wechat_login import WechatLogin, WechatPhoneNumbers
from server.delivery.rules import SF
from server.identity.ports import WalletDoor
from server.settings import Settings
from server.wiring.alipay import open_alipay, open_payments
from server.wiring.messages import open_messages
from server.wiring.partners import ALIPAY, WECHAT, Partners

BILL_SECONDS = 120.0
"""How long the worker waits for the file of a day's bill."""
IDENTITY_SECONDS = 8.0
"""How long a resident waits for the wallet before being told to try again."""
DEPARTMENT_CALLS = 16


def connect(settings: Settings, clock: Clock) -> Partners:
    """Every partner that the settings name; OSError or ValueError when a key file does not fit."""
    partners = Partners()
    _wechat(settings, clock, partners)
    _wechat_pay(settings, clock, partners)
    _alipay(settings, clock, partners)
    open_messages(settings, clock, partners)
    _tax(settings, clock, partners)
    _carriers(settings, partners)
    _sf(settings, clock, partners)
    _departments(settings, clock, partners)
    return partners


def _wechat(settings: Settings, clock: Clock, partners: Partners) -> None:
    section = settings.wechat
    if section is None:
        return
    http, secret = partners.client(WECHAT, timeout=IDENTITY_SECONDS), read_secret(section.app_secret_file)
    token = StableToken(http, section.base_url, section.app_id, secret, clock)
    api = WechatApi(http, section.base_url, token)
    partners.doors[WECHAT] = WalletDoor(
        login=WechatLogin(api, app_id=section.app_id, secret=secret),
        phones=WechatPhoneNumbers(api, app_id=section.app_id),
        face=WechatFace(api),
    )
    partners.channels[WECHAT] = WechatChannel(api, section.templates)


def _wechat_pay(settings: Settings, clock: Clock, partners: Partners) -> None:
    section = settings.wechat_pay
    if section is None or settings.wechat is None:
        return
    keys = platform_keys({serial: path.read_text() for serial, path in section.platform_keys.items()})
    key = merchant_key(read_secret(section.merchant_key_file))
    signer = MerchantSigner(section.mchid, section.merchant_serial, key, clock)
    transport = PayTransport(
        partners.client("wechat_pay", timeout=IDENTITY_SECONDS),
        section.base_url,
        signer=signer,
        keys=keys,
        key_id=section.platform_key_id,
        clock=clock,
    )
    notify_url = f"{settings.http.public_base_url}/callbacks/wechat_pay"
    pay = WechatPay(transport, signer, app_id=settings.wechat.app_id, notify_url=notify_url)
    partners.ordering[WECHAT] = partners.refunds[WECHAT] = pay
    partners.notices[WECHAT] = WechatPayNotices(PayNotices(keys, read_secret(section.apiv3_key_file), clock))
    files = partners.client("wechat_bills", timeout=BILL_SECONDS)
    partners.bills[WECHAT] = WechatBills(transport, files, merchant_id=section.mchid)


def _alipay(settings: Settings, clock: Clock, partners: Partners) -> None:
    if settings.alipay is None:
        return
    http = partners.client(ALIPAY, timeout=IDENTITY_SECONDS)
    partners.alipay_api, partners.doors[ALIPAY] = open_alipay(settings.alipay, clock, http)
    pay, opener = open_payments(settings.alipay, partners.alipay_api, settings.http.public_base_url)
    partners.ordering[ALIPAY] = partners.refunds[ALIPAY] = pay
    partners.notices[ALIPAY] = opener
    files, section = partners.client("alipay_bills", timeout=BILL_SECONDS), settings.alipay
    partners.bills[ALIPAY] = AlipayBills(
        partners.alipay_api, files, seller_id=section.seller_id, hosts=section.bill_hosts
    )


def _tax(settings: Settings, clock: Clock, partners: Partners) -> None:
    section = settings.tax
    if section is None:
        return
    partners.tax_verifier = RequestVerifier({section.bureau_key_id: section.bureau_key_file.read_bytes()})
    partners.taxes = SignedTaxBureau(
        partners.client("tax"),
        base_url=section.base_url,
        notice_url=settings.http.public_base_url + NOTICE_PATH,
        signer=RequestSigner(section.key_id, read_secret(section.key_file).encode()),
        verifier=partners.tax_verifier,
        clock=clock,
    )


def _departments(settings: Settings, clock: Clock, partners: Partners) -> None:
    section = settings.departments
    if section is None:
        return
    partners.department_seconds = section.timeout_seconds
    partners.departments = HubDepartments(
        partners.client("departments", timeout=section.timeout_seconds, limit=DEPARTMENT_CALLS),
        base_url=section.base_url,
        signer=RequestSigner(section.key_id, read_secret(section.key_file).encode()),
        verifier=RequestVerifier({section.hub_key_id: section.hub_key_file.read_bytes()}),
        clock=clock,
    )


def _sf(settings: Settings, clock: Clock, partners: Partners) -> None:
    section = settings.carrier_sf
    if section is None:
        return
    partners.carriers[SF] = SfExpress(
        partners.client("sf"),
        url=section.base_url,
        partner_id=section.partner_id,
        check_word=read_secret(section.check_word_file),
        clock=clock,
    )


def _carriers(settings: Settings, partners: Partners) -> None:
    section = settings.carrier
    if section is None:
        return
    salt = read_secret(section.salt_file)
    tracking = Kuaidi100(
        partners.client("kuaidi100"),
        base_url=section.base_url,
        customer=section.customer,
        key=read_secret(section.key_file),
        salt=salt,
        callback_url=settings.http.public_base_url + PUSH_PATH,
    )
    partners.carriers |= dict.fromkeys(section.companies, tracking)
    if salt:
        partners.pushes = Kuaidi100Pushes(salt)
