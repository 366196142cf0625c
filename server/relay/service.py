from tortoise.exceptions import IntegrityError

from kit.db import transactional
from kit.inbox import open_body
from server.relay import rules
from server.relay.errors import PackageNotSentYet
from server.relay.models import RelayMessage
from server.relay.ports import Needs
from server.relay.rules import MessageState
from server.terms.messages import DownMessage, UpMessage

_BODY = "relay_message.body_sealed"


async def forward(needs: Needs, *, message: UpMessage, dedupe_key: str | None = None) -> None:
    """Send a message up once; a repetition sends what was kept the first time, under the id of the first time.

    `dedupe_key` says what the message tells, by default kind and application. Raises OutsideError, and
    PackageNotSentYet for anything but a case package before the application's package was sent.
    """
    key = dedupe_key or f"{message.kind}:{message.application_id}"
    row = await RelayMessage.get_or_none(dedupe_key=key)
    if row is None:
        try:
            row = await _keep(needs, message=message, dedupe_key=key)
        except IntegrityError:
            row = await RelayMessage.get(dedupe_key=key)
    if row.state == MessageState.SENT:
        return
    if not rules.goes_first(row.kind):
        await _check_package_sent(row.application_id)
    body = needs.cipher.open_json(row.body_sealed, (_BODY, row.id))
    await needs.registry.send(UpMessage(row.id, row.kind, row.application_id, row.created_at, body))
    await _mark_sent(needs, message_id=row.id)


async def _check_package_sent(application_id: str) -> None:
    sent = await RelayMessage.exists(application_id=application_id, kind=rules.CASE_PACKAGE, state=MessageState.SENT)
    if not sent:
        raise PackageNotSentYet(application_id)


@transactional
async def _keep(needs: Needs, *, message: UpMessage, dedupe_key: str) -> RelayMessage:
    return await RelayMessage.create(
        id=message.id,
        kind=message.kind,
        application_id=message.application_id,
        dedupe_key=dedupe_key,
        body_sealed=needs.cipher.seal_json(dict(message.body), (_BODY, message.id)),
        state=MessageState.QUEUED,
        created_at=message.sent_at,
    )


@transactional
async def _mark_sent(needs: Needs, *, message_id: str) -> None:
    await RelayMessage.filter(id=message_id).update(state=MessageState.SENT, sent_at=needs.clock.now())


async def open_down(needs: Needs, *, inbox_id: str) -> DownMessage:
    """A message from the registry as it lies in the inbox; raises Permanent when it cannot be read."""
    return needs.codec.decode_down(await open_body(needs.cipher, inbox_id=inbox_id))
