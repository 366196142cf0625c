"""What the registry tells of the paper of a certificate that an application has brought (发证)."""

from datetime import datetime

from kit.db import transactional
from server.applications.ports import Needs
from server.applications.service.rows import lock, recorded, step

_SAID = {
    "posted": "纸质证书已寄出",
    "with_holder": "纸质证书已由权利人领取",
    "not_printed": "纸质证书已退回登记机构",
    "lost": "纸质证书在邮寄中丢失",
}
"""By where the paper is; of what is to come back when it is void, another application tells."""


@transactional
async def record_paper(
    needs: Needs,
    *,
    application_id: str,
    paper_state: str,
    number: str,
    at: datetime,
    message_id: str,
) -> None:
    """A line of the progress, once per message; where it went stays between the holder and the post."""
    said = _SAID.get(paper_state)
    if said is None:
        return
    row = await lock(application_id)
    if not await recorded(row.id, message_id):
        await step(row, code=f"paper_{paper_state}", name=said, at=at, message_id=message_id, note=f"证号 {number}")
