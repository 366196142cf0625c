from datetime import datetime

from kit.db import transactional
from kit.ids import new_id
from server.applications.events import NoticePushed
from server.applications.loading import STEP_NOTE
from server.applications.ports import Needs
from server.applications.service.rows import lock, recorded, step
from server.applications.states import NOTICE


@transactional
async def record_notice(needs: Needs, *, application_id: str, text: str, pushed_at: datetime, message_id: str) -> None:
    """An officer wrote to the parties: it stands in the progress and they are told; also when all is over."""
    row = await lock(application_id)
    if await recorded(row.id, message_id):
        return
    identifier = new_id()
    await step(
        row,
        code=NOTICE,
        name="登记机构发来通知",
        at=pushed_at,
        message_id=message_id,
        identifier=identifier,
        note_sealed=needs.cipher.seal(text, (STEP_NOTE, identifier)),
    )
    await needs.outbox.publish(NoticePushed(row.id, message_id))
