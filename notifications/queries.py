from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kit.db import fetch, fetch_one
from kit.db.sql import as_utc
from notifications.checking import samples
from notifications.models import PARAMS_AT, Consent, MessageTemplate
from notifications.ports import Needs
from notifications.rules import WECHAT, Agreement, segments
from notifications.templates import Template, from_content

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
    """A template to subscribe to, with the channel's own id of it; `standing`: agreeing once is enough."""

    template: str
    template_id: str
    name: str
    standing: bool


async def inbox(needs: Needs, *, recipient: str, before: str = "", limit: int = 20) -> list[MessageView]:
    """The recipient's messages, newest first; `before` is the last id of the page before."""
    rows = await fetch(
        "SELECT id, template, template_version, params_sealed, created_at, read_at FROM notifications_message "
        "WHERE recipient = ? AND id < ? ORDER BY id DESC LIMIT ?",
        [recipient, before or _LATEST, limit],
    )
    return [await _view(needs, row) for row in rows]


async def message(needs: Needs, *, recipient: str, message_id: str) -> MessageView | None:
    """The recipient's own message; None when it is another's or nobody's."""
    row = await fetch_one(
        "SELECT id, template, template_version, params_sealed, created_at, read_at FROM notifications_message "
        "WHERE id = ? AND recipient = ?",
        [message_id, recipient],
    )
    return await _view(needs, row) if row else None


async def _view(needs: Needs, row: dict[str, Any]) -> MessageView:
    params = needs.cipher.open_json(row["params_sealed"], (PARAMS_AT, row["id"]))
    rendered = (await needs.templates.of(row["template"], row["template_version"])).render(params)
    return MessageView(
        id=row["id"],
        template=row["template"],
        title=rendered.title,
        body=rendered.body,
        created_at=as_utc(row["created_at"]),
        read_at=as_utc(row["read_at"]) if row["read_at"] else None,
    )


@dataclass(frozen=True, slots=True)
class Granted:
    """What a resident has agreed to: so many messages, or all of them."""

    remaining: int
    standing: bool


async def consents(
    needs: Needs,
    *,
    recipient: str,
    templates: Sequence[str],
    channel: str = WECHAT,
) -> dict[str, Granted]:
    """How many messages of each template may still be sent to the recipient."""
    rows = await Consent.filter(recipient=recipient, channel=channel, template__in=list(templates))
    granted = {row.template: Granted(row.remaining, bool(row.standing)) for row in rows}
    return {template: granted.get(template, Granted(0, standing=False)) for template in templates}


async def subscribable(needs: Needs, *, channel: str = WECHAT) -> list[Subscribable]:
    """The templates that were applied for at a channel and ask for consent; nothing when there is no such channel."""
    way = needs.channels.get(channel)
    found = []
    for code in needs.templates:
        its_id, agreement = (way.template_id(code), way.agreement(code)) if way else (None, Agreement.NONE)
        if its_id is None or agreement is Agreement.NONE:
            continue
        template = await needs.templates.in_force(code, now=needs.clock.now())
        found.append(Subscribable(code, its_id, template.name, standing=agreement is Agreement.STANDING))
    return found


@dataclass(frozen=True, slots=True)
class TemplateView:
    """One version of a template as staff see it; `segments` is how many text messages it is charged as at most."""

    id: str
    template: Template
    district: str
    effective_from: datetime
    saved_by: str
    segments: int
    created_at: datetime


async def templates(
    needs: Needs,
    *,
    before: str = "",
    limit: int = 20,
) -> list[TemplateView]:
    """All saved versions, the newest first; `before` is the last id of the page before."""
    rows = await MessageTemplate.filter(id__lt=before or _LATEST).order_by("-id").limit(limit)
    return [_template_view(row) for row in rows]


async def template(needs: Needs, *, version_id: str) -> TemplateView:
    """One saved version; LookupError when there is none."""
    row = await MessageTemplate.get_or_none(id=version_id)
    if row is None:
        raise LookupError("no such version of a template")
    return _template_view(row)


def _template_view(row: MessageTemplate) -> TemplateView:
    made = from_content(row.code, row.version, row.content)
    longest = made.sms_text.format_map(samples(made.variables))
    return TemplateView(
        id=row.id,
        template=made,
        district=row.district,
        effective_from=row.effective_from,
        saved_by=row.saved_by,
        segments=segments(longest) if longest else 0,
        created_at=row.created_at,
    )
