from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kit.db import fetch, fetch_one
from kit.db.sql import as_utc
from notifications.models import Consent
from notifications.ports import Needs
from notifications.service.consents import WECHAT
from notifications.service.telling import PARAMS_AT

_LATEST = "~"  # after every id, which is hexadecimal


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as its recipient reads it."""

    id: str
    template: str
    title: str
    body: str
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Subscribable:
    """A template that a resident may subscribe to, with the channel's own id of it."""

    template: str
    template_id: str
    name: str


async def inbox(needs: Needs, *, recipient: str, before: str = "", limit: int = 20) -> list[MessageView]:
    """The recipient's messages, newest first; `before` is the last id of the page before."""
    rows = await fetch(
        "SELECT id, template, params_sealed, created_at, read_at FROM notifications_message "
        "WHERE recipient = ? AND id < ? ORDER BY id DESC LIMIT ?",
        [recipient, before or _LATEST, limit],
    )
    return [_view(needs, row) for row in rows]


async def message(needs: Needs, *, recipient: str, message_id: str) -> MessageView | None:
    """The recipient's own message; None when it is another's or nobody's."""
    row = await fetch_one(
        "SELECT id, template, params_sealed, created_at, read_at FROM notifications_message "
        "WHERE id = ? AND recipient = ?",
        [message_id, recipient],
    )
    return _view(needs, row) if row else None


def _view(needs: Needs, row: dict[str, str]) -> MessageView:
    params = needs.cipher.open_json(row["params_sealed"], (PARAMS_AT, row["id"]))
    rendered = needs.templates[row["template"]].render(params)
    return MessageView(
        id=row["id"],
        template=row["template"],
        title=rendered.title,
        body=rendered.body,
        created_at=as_utc(row["created_at"]),
        read_at=as_utc(row["read_at"]) if row["read_at"] else None,
    )


async def consents(
    needs: Needs,  # noqa: ARG001 - every query's shape
    *,
    recipient: str,
    templates: Sequence[str],
    channel: str = WECHAT,
) -> dict[str, int]:
    """How many messages of each template may still be sent to the recipient."""
    rows = await Consent.filter(recipient=recipient, channel=channel, template__in=list(templates))
    remaining = {row.template: row.remaining for row in rows}
    return {template: remaining.get(template, 0) for template in templates}


def subscribable(needs: Needs, *, channel: str = WECHAT) -> list[Subscribable]:
    """The templates that were applied for at a channel; nothing when there is no such channel."""
    way = needs.channels.get(channel)
    if way is None:
        return []
    found = ((template, way.template_id(template.code)) for template in needs.templates.values())
    return [Subscribable(template.code, its_id, template.name) for template, its_id in found if its_id]
