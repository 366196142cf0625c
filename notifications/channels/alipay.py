"""Alipay template messages to subscribers: one for each time the user agreed, or all of a template for good."""

import re
from collections.abc import Collection, Mapping

import orjson
from alipay.aop.api.domain.AlipayOpenAppMiniTemplatemessageSendModel import AlipayOpenAppMiniTemplatemessageSendModel
from alipay.aop.api.request.AlipayOpenAppMiniTemplatemessageSendRequest import (
    AlipayOpenAppMiniTemplatemessageSendRequest,
)

from kit.log import get_logger
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.errors import TABLE, AlipayError
from notifications import templates
from notifications.ports import ConsentRefused, Outgoing
from notifications.rules import Agreement

_ANSWERS = "alipay_open_app_mini_templatemessage_send_response"
_USER_ID = re.compile(r"2088[0-9]{12}")
log = get_logger("notifications")

NO_CONSENT = frozenset({"USER_NOT_SUBSCRIBE", "USER_UNSUBSCRIBE", "SUBSCRIBE_COUNT_NOT_ENOUGH", "FORM_ID_USED"})
"""Sub-codes that mean: not subscribed, or used up. Not verified with Alipay, so that settings may name others."""
FOR_GOOD = frozenset(
    {
        "USER_TEMPLATE_ILLEGAL",
        "TEMPLATE_NOT_EXIST",
        "TEMPLATE_PARAM_ILLEGAL",
        "USER_NOT_EXIST",
        "PAGE_ILLEGAL",
        "FORM_ID_ILLEGAL",
    }
)
"""Sub-codes that say the message itself is wrong; not verified either."""


class AlipayChannel:
    """`template_ids`: our template code -> the id of the template taken in Alipay's merchant console."""

    def __init__(
        self,
        api: AlipayApi,
        template_ids: Mapping[str, str],
        *,
        standing: Collection[str] = (),
        no_consent: Collection[str] = NO_CONSENT,
    ) -> None:
        """`standing` are our codes of those that are long-term ones there; `no_consent` are Alipay's sub-codes."""
        self._api = api
        self._template_ids = dict(template_ids)
        self._standing = frozenset(standing)
        self._no_consent = frozenset(no_consent)

    def check_config(self) -> list[str]:
        """Templates may be left out, those messages then take another way; a name that is none sends nothing."""
        shipped = templates.load().keys()
        unknown = sorted(self._template_ids.keys() - shipped)
        lost = sorted(self._standing - self._template_ids.keys())
        return [
            *(f"{name} is no template of ours" for name in unknown),
            *(f"{name} is said to be long-term but has no template id" for name in lost),
        ]

    def template_id(self, template: str) -> str | None:
        return self._template_ids.get(template)

    def agreement(self, template: str) -> Agreement:
        return Agreement.STANDING if template in self._standing else Agreement.ONCE

    async def send(self, message: Outgoing) -> str:
        model = AlipayOpenAppMiniTemplatemessageSendModel()
        if _USER_ID.fullmatch(message.address):
            model.to_user_id = message.address
        else:
            model.to_open_id = message.address
        model.user_template_id = self._template_ids[message.template]
        model.page = message.page
        model.data = orjson.dumps({name: {"value": value} for name, value in message.fields.items()}).decode()
        try:
            await self._api.call(AlipayOpenAppMiniTemplatemessageSendRequest(biz_model=model), answers=_ANSWERS)
        except AlipayError as error:
            if error.code in self._no_consent:
                raise ConsentRefused from None
            if error.code not in TABLE and error.code not in FOR_GOOD:
                log.warning("alipay_message_code_unmapped", error_code=error.code)
            raise
        return message.reference
