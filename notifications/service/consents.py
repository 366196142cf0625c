"""Consents: a wallet lets one message through for each time its user agreed, so we count along.

A standing consent lets every message of its template through until the user takes it back.
"""

from collections.abc import Sequence

from tortoise.exceptions import IntegrityError

from kit.db import execute, fetch_one, transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from notifications.errors import TemplateUnknown
from notifications.models import Consent
from notifications.ports import Needs
from notifications.rules import WECHAT, Agreement

_WHOSE = "recipient = ? AND template = ? AND channel = ?"


async def record_consents(
    needs: Needs,
    *,
    recipient: str,
    accepted: Sequence[str],
    refused: Sequence[str] = (),
    channel: str = WECHAT,
    key: RequestKey | None = None,
) -> str:
    """Write down what was tapped: one more consent for each template agreed to, or all where the channel keeps asking.

    A refusal ends a standing consent; one that was counted before it is still good. Answers the recipient. Errors:
    TEMPLATE_UNKNOWN.
    """
    agreed, ended = sorted(set(accepted)), sorted(set(refused) - set(accepted))
    if not set(needs.templates) >= {*agreed, *ended}:
        raise TemplateUnknown
    try:
        return await _record(needs, recipient, agreed, ended, channel, key)
    except IntegrityError:  # the first consent of somebody, recorded twice at once: now there is a row to raise
        return await _record(needs, recipient, agreed, ended, channel, key)


@transactional
async def _record(
    needs: Needs,
    recipient: str,
    agreed: Sequence[str],
    ended: Sequence[str],
    channel: str,
    key: RequestKey | None,
) -> str:
    for template in agreed:
        standing = agreement(needs, template=template, channel=channel) is Agreement.STANDING
        if await _agree(needs, recipient, template, channel, standing=standing) == 0:
            await Consent.create(
                id=new_id(),
                recipient=recipient,
                template=template,
                channel=channel,
                remaining=0 if standing else 1,
                standing=standing,
                updated_at=needs.clock.now(),
            )
    for template in ended:
        await _set(needs, "standing = ?", [False], recipient, template, channel)
    if key is not None:
        await key.settle(result_id=recipient, status=200)
    return recipient


def agreement(needs: Needs, *, template: str, channel: str) -> Agreement:
    """What the channel asks of the person; counting is right where there is no such channel at the moment."""
    way = needs.channels.get(channel)
    return way.agreement(template) if way is not None else Agreement.ONCE


async def _agree(needs: Needs, recipient: str, template: str, channel: str, *, standing: bool) -> int:
    if standing:
        return await _set(needs, "standing = ?", [True], recipient, template, channel)
    return await _set(needs, "remaining = remaining + ?", [1], recipient, template, channel)


async def _set(needs: Needs, change: str, values: Sequence[object], recipient: str, template: str, channel: str) -> int:
    return await execute(
        f"UPDATE notifications_consent SET {change}, updated_at = ? WHERE {_WHOSE}",  # noqa: S608 - constants
        [*values, needs.clock.now(), recipient, template, channel],
    )


async def spend(needs: Needs, *, recipient: str, template: str, channel: str) -> bool:
    """Take one consent in the caller's transaction, none where it is a standing one; False when there is none."""
    row = await fetch_one(f"SELECT standing FROM notifications_consent WHERE {_WHOSE}", [recipient, template, channel])  # noqa: S608 - constants
    if row is not None and row["standing"]:
        return True
    taken = await execute(
        "UPDATE notifications_consent SET remaining = remaining - 1, updated_at = ? "  # noqa: S608 - constants
        f"WHERE {_WHOSE} AND remaining > 0",
        [needs.clock.now(), recipient, template, channel],
    )
    return taken == 1


async def give_back(needs: Needs, *, recipient: str, template: str, channel: str) -> None:
    """Undo `spend` in the caller's transaction, for a message that the channel refused."""
    await execute(
        "UPDATE notifications_consent SET remaining = remaining + 1, updated_at = ? "  # noqa: S608 - constants
        f"WHERE {_WHOSE} AND standing = ?",
        [needs.clock.now(), recipient, template, channel, False],
    )


async def forget(needs: Needs, *, recipient: str, template: str, channel: str) -> None:
    """The wallet says that nothing is left: its word is the one that decides."""
    await _set(needs, "remaining = ?, standing = ?", [0, False], recipient, template, channel)
