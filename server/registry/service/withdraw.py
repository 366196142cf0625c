from kit.audit.service import record
from kit.db import transactional
from kit.log import get_logger
from server.registry import rules
from server.registry.errors import CaseNotHereYet
from server.registry.models import RegistryCase, RegistryClaim
from server.registry.ports import Needs
from server.registry.rules import CaseState
from server.registry.service.decision import save
from server.registry.service.receive_package import PLATFORM
from server.terms.messages import UpMessage

log = get_logger("registry")


@transactional
async def withdraw(needs: Needs, *, message: UpMessage) -> None:
    """Close a case that its applicants withdrew; too late once it is entered (条例第15条). Raises CaseNotHereYet."""
    case = await RegistryCase.filter(application_id=message.application_id).select_for_update().get_or_none()
    if case is None:
        raise CaseNotHereYet(message.application_id)
    if case.state not in rules.ALLOWED["withdrawal"]:
        log.warning("withdrawal_too_late", case=case.id, state=str(case.state))
        return
    now = needs.clock.now()
    case.state = CaseState.WITHDRAWN
    await save(case, now=now)
    await RegistryClaim.filter(case_id=case.id).delete()
    await record(
        actor=PLATFORM,
        action="registry.withdrawn",
        subject=("case", case.id),
        details={"message": message.id},
        at=now,
    )
