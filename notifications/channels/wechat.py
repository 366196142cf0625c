"""WeChat subscription messages: one message for each time the user agreed."""

from collections.abc import Mapping
from typing import Literal

from kit.errors import OutsideError
from kit.log import get_logger
from kit.wallets.wechat.errors import TRANSIENT, WechatError
from kit.wallets.wechat.transport import WechatApi
from notifications import templates
from notifications.channels.refusal import Refusal
from notifications.ports import ConsentRefused, Outgoing
from notifications.rules import Agreement

_PATH = "cgi-bin/message/subscribe/send"
log = get_logger("notifications")

ProgramState = Literal["formal", "trial", "developer"]


REFUSALS: Mapping[int, Refusal] = {
    43101: Refusal.NO_CONSENT,  # refused, or the consent was used up
    40003: Refusal.FOR_GOOD,  # no such openid here
    40037: Refusal.FOR_GOOD,  # no such template
    41030: Refusal.FOR_GOOD,  # no such page
    47003: Refusal.FOR_GOOD,  # a field does not fit
    43107: Refusal.FOR_GOOD,  # the program may not send messages any more
    45168: Refusal.FOR_GOOD,  # words that WeChat does not carry
    48001: Refusal.FOR_GOOD,  # no right to the API
    40164: Refusal.FOR_GOOD,  # our address is not on the list
    41028: Refusal.FOR_GOOD,  # a form id, from the old kind of messages
    43108: Refusal.FOR_NOW,  # to the same person at the same moment
    **dict.fromkeys(TRANSIENT, Refusal.FOR_NOW),
}
"""The codes that WeChat documents for this call, and those of every call."""


class WechatChannel:
    """`template_ids`: our template code -> the id of the template applied for in the mini-program's console."""

    def __init__(self, api: WechatApi, template_ids: Mapping[str, str], *, state: ProgramState = "formal") -> None:
        """`state` is the version of the mini-program that a tap on the message opens."""
        self._api = api
        self._template_ids = dict(template_ids)
        self._state = state

    def check_config(self) -> list[str]:
        """Templates may be left out, those messages then take another way; a name that is none sends nothing."""
        unknown = sorted(self._template_ids.keys() - templates.load().keys())
        return [f"{name} is no template of ours" for name in unknown]

    def template_id(self, template: str) -> str | None:
        return self._template_ids.get(template)

    def agreement(self, template: str) -> Agreement:  # noqa: ARG002 - the same for all
        return Agreement.ONCE

    async def send(self, message: Outgoing) -> str:
        asked = {
            "touser": message.address,
            "template_id": self._template_ids[message.template],
            "page": message.page,
            "miniprogram_state": self._state,
            "lang": "zh_CN",
            "data": {field: {"value": value} for field, value in message.fields.items()},
        }
        try:
            answer = await self._api.post_json(_PATH, asked)
        except WechatError as error:
            raise _meant(error) from None
        return str(answer.get("msgid", ""))


def _meant(error: WechatError) -> Exception:
    refusal = REFUSALS.get(error.errcode)
    if refusal is Refusal.NO_CONSENT:
        return ConsentRefused()
    if refusal is None:
        log.warning("wechat_message_code_unmapped", error_code=error.code)
        return error
    return OutsideError(error.system, error.code, error.message, permanent=refusal is Refusal.FOR_GOOD)
