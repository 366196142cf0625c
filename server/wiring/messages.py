"""Ways to reach residents beside WeChat, from the settings: Alipay's template messages and text messages."""

from kit.clock import Clock
from kit.settings import read_secret
from notifications.channels.alipay import NO_CONSENT, AlipayChannel
from notifications.channels.sms import TencentSms
from notifications.rules import ALIPAY, SMS
from notifications.templates import Limits
from server.settings import Settings, SmsSettings
from server.wiring.partners import Partners


def open_messages(settings: Settings, clock: Clock, partners: Partners) -> None:
    """Add the channels that the settings name to the partners; OSError or ValueError for a secret that is not there."""
    known = settings.notifications
    partners.limits = Limits(
        alipay_value=known.alipay_value_chars,
        alipay_data=known.alipay_data_bytes,
        sms_param=known.sms_param_chars,
        sms_text=known.sms_text_chars,
        sms_day=known.sms_per_day,
    )
    if settings.alipay is not None and partners.alipay_api is not None:
        partners.channels[ALIPAY] = AlipayChannel(
            partners.alipay_api,
            settings.alipay.templates,
            standing=known.alipay_standing,
            no_consent=NO_CONSENT.union(known.alipay_no_consent),
        )
    if settings.sms is not None:
        _open_sms(settings.sms, clock, partners)


def _open_sms(section: SmsSettings, clock: Clock, partners: Partners) -> None:
    texts = TencentSms(
        partners.client(SMS),
        base_url=section.base_url,
        region=section.region,
        secret_id=section.secret_id,
        secret_key=read_secret(section.secret_key_file),
        app_id=section.app_id,
        signature=section.signature,
        template_ids=section.templates,
        clock=clock,
    )
    partners.channels[SMS] = partners.receipts[SMS] = texts
