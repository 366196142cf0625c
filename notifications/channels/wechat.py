"""WeChat subscription messages: one message for each time the user agreed."""

from collections.abc import Mapping
from typing import Literal

from kit.wallets.wechat.errors import WechatError
from kit.wallets.wechat.transport import WechatApi
from notifications import templates
from notifications.ports import ConsentRefused, Outgoing

_PATH = "cgi-bin/message/subscribe/send"
_NO_CONSENT = 43101

ProgramState = Literal["formal", "trial", "developer"]


class WechatChannel:
    """`template_ids`: our template code -> the id of the template applied for in the mini-program's console."""

    def __init__(self, api: WechatApi, template_ids: Mapping[str, str], *, state: ProgramState = "formal") -> None:
        """`state` is the version of the mini-program that a tap on the message opens."""
        self._api = api
        self._template_ids = dict(template_ids)
        self._state = state

    def check_config(self) -> list[str]:
        """Templates may be left out, those messages then lie in the inbox alone; a name that is none sends nothing."""
        unknown = sorted(self._template_ids.keys() - templates.load().keys())
        return [f"{name} is no template of ours" for name in unknown]

    def template_id(self, template: str) -> str | None:
        return self._template_ids.get(template)

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
            if error.errcode == _NO_CONSENT:
                raise ConsentRefused from None
            raise
        return str(answer.get("msgid", ""))
