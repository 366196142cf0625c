"""Consents: a wallet lets one message through for each time its user agreed, so we count along."""

from collections.abc import Sequence

from tortoise.exceptions import IntegrityError

from kit.db import execute, transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from notifications.errors import TemplateUnknown
from notifications.models import Consent
from notifications.ports import Needs

WECHAT = "wechat"


async def record_consents(
    needs: Needs,
    *,
    recipient: str,
    accepted: Sequence[str],
    channel: str = WECHAT,
    key: RequestKey | None = None,
) -> str:
    """Count one more consent for each template that was agreed to; answers the recipient. Errors: TEMPLATE_UNKNOWN."""
    templates = sorted(set(accepted))
    if not needs.templates.keys() >= set(templates):
        raise TemplateUnknown
    try:
        return await _record(needs, recipient, templates, channel, key)
    except IntegrityError:  # the first consent of somebody, recorded twice at once: now there is a row to raise
        return await _record(needs, recipient, templates, channel, key)


@transactional
async def _record(needs: Needs, recipient: str, templates: Sequence[str], channel: str, key: RequestKey | None) -> str:
    for template in templates:
        if await _add(needs, recipient, template, channel, 1) == 0:
            await Consent.create(
                id=new_id(),
                recipient=recipient,
                template=template,
                channel=channel,
                remaining=1,
                updated_at=needs.clock.now(),
            )
    if key is not None:
        await key.settle(result_id=recipient, status=200)
    return recipient


async def _add(needs: Needs, recipient: str, template: str, channel: str, count: int) -> int:
    return await execute(
        "UPDATE notifications_consent SET remaining = remaining + ?, updated_at = ? "
        "WHERE recipient = ? AND template = ? AND channel = ?",
        [count, needs.clock.now(), recipient, template, channel],
    )


async def spend(needs: Needs, *, recipient: str, template: str, channel: str) -> bool:
    """Take one consent in the caller's transaction; False when there is none."""
    taken = await execute(
        "UPDATE notifications_consent SET remaining = remaining - 1, updated_at = ? "
        "WHERE recipient = ? AND template = ? AND channel = ? AND remaining > 0",
        [needs.clock.now(), recipient, template, channel],
    )
    return taken == 1


async def give_back(needs: Needs, *, recipient: str, template: str, channel: str) -> None:
    """Undo `spend` in the caller's transaction, for a message that the channel refused."""
    await _add(needs, recipient, template, channel, 1)


async def forget(needs: Needs, *, recipient: str, template: str, channel: str) -> None:
    """The wallet says that nothing is left: its count is the one that decides."""
    await execute(
        "UPDATE notifications_consent SET remaining = 0, updated_at = ? "
        "WHERE recipient = ? AND template = ? AND channel = ?",
        [needs.clock.now(), recipient, template, channel],
    )
