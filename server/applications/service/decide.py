"""What the registry tells: each message is recorded once, by its id, and one that comes too late changes nothing."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from kit.clock import date_text
from kit.db import transactional
from kit.ids import new_id
from server.applications.events import Accepted, CorrectionAsked, Entered, FeeDue, Refused
from server.applications.loading import NOTICE
from server.applications.models import Application, ApplicationTrack
from server.applications.ports import Needs
from server.applications.requirements import Requirements
from server.applications.rules import decidable, fee_falls_due, has_case, refusable, track_state
from server.applications.service.rows import lock, recorded, release_claims, save, step
from server.applications.states import State, TrackState


@transactional
async def record_acceptance(
    needs: Needs,
    *,
    application_id: str,
    case_number: str,
    accepted_at: datetime,
    promised_on: date,
    message_id: str,
) -> None:
    """The 受理凭证 came: the tracks begin side by side."""
    row = await lock(application_id)
    if await recorded(row.id, message_id):
        return
    note = f"受理编号 {case_number}，承诺{date_text(promised_on)}前办结"
    if not decidable(State(row.state)):
        await _too_late(row, message_id, at=accepted_at)
        return
    row.state, row.case_number = State.ACCEPTED, case_number
    row.accepted_at, row.promised_on, row.notice_sealed = accepted_at, promised_on, None
    await save(needs, row, "state", "case_number", "accepted_at", "promised_on", "notice_sealed")
    requirements = Requirements.from_json(row.requirements)
    await _begin_tracks(row, requirements, at=accepted_at)
    await step(row, code="accepted", name="登记机构已受理", at=accepted_at, message_id=message_id, note=note)
    await needs.outbox.publish(Accepted(row.id))
    await _fee_at(needs, row, requirements, "acceptance")


async def _begin_tracks(row: Application, requirements: Requirements, *, at: datetime) -> None:
    await ApplicationTrack.bulk_create(
        [
            ApplicationTrack(
                id=new_id(),
                application_id=row.id,
                position=position,
                code=track.code,
                name=track.name,
                state=TrackState.NOT_STARTED if track.code == "fee" else TrackState.OPEN,
                updated_at=at,
            )
            for position, track in enumerate(requirements.tracks)
        ]
    )


async def _fee_at(needs: Needs, row: Application, requirements: Requirements, milestone: str) -> None:
    if fee_falls_due(requirements, milestone):
        await needs.outbox.publish(FeeDue(row.id))


async def _too_late(row: Application, message_id: str, *, at: datetime) -> None:
    """The application has ended meanwhile; the registry will hear of it by its own message."""
    await step(row, code="registry_message", name="登记机构的消息已收到，申请已结束", at=at, message_id=message_id)


@transactional
async def record_correction(
    needs: Needs,
    *,
    application_id: str,
    items: Sequence[str],
    deadline: date,
    asked_at: datetime,
    message_id: str,
) -> None:
    """The registry asks for all corrections at once (一次性告知)."""
    notice = {"items": list(items), "deadline": deadline.isoformat()}
    note = f"请在{date_text(deadline)}前补正"
    row = await _decided(needs, application_id, message_id, State.CORRECTION_ASKED, notice, at=asked_at)
    if row is not None:
        await step(row, code="correction_asked", name="需要补正", at=asked_at, message_id=message_id, note=note)
        await needs.outbox.publish(CorrectionAsked(row.id))


@transactional
async def record_refusal(
    needs: Needs, *, application_id: str, ground: str, opinion: str, refused_at: datetime, message_id: str
) -> None:
    """Not accepted (不予受理), or after acceptance not registered (不予登记); the claim ends."""
    notice = {"ground": ground, "opinion": opinion}
    row = await _decided(needs, application_id, message_id, State.REFUSED, notice, at=refused_at)
    if row is not None:
        await release_claims(row.id)
        await step(row, code="refused", name="不予受理或者不予登记", at=refused_at, message_id=message_id)
        await needs.outbox.publish(Refused(row.id))


async def _decided(
    needs: Needs, application_id: str, message_id: str, state: State, notice: dict[str, Any], *, at: datetime
) -> Application | None:
    """Move to `state` with the registry's notice; None when there is nothing (more) to do."""
    row = await lock(application_id)
    if await recorded(row.id, message_id):
        return None
    current = State(row.state)
    possible = refusable(current, row.number) if state is State.REFUSED else decidable(current)
    if not possible:
        await _too_late(row, message_id, at=at)
        return None
    row.state = state
    row.notice_sealed = needs.cipher.seal_json(notice, (NOTICE, row.id))
    await save(needs, row, "state", "notice_sealed")
    return row


@transactional
async def record_step(
    needs: Needs, *, application_id: str, track: str, state: str, at: datetime, message_id: str
) -> None:
    """A track moved on; a passed review makes the fee fall due where the business says so."""
    row = await lock(application_id)
    if await recorded(row.id, message_id):
        return
    if not has_case(State(row.state)):
        await _too_late(row, message_id, at=at)
        return
    reached = track_state(state)
    name = await move_track(row, track, reached, at=at)
    await save(needs, row)
    await step(row, code=track, name=f"{name}：{reached.text}", at=at, message_id=message_id)
    if track == "review" and reached is TrackState.DONE:
        await _fee_at(needs, row, Requirements.from_json(row.requirements), "review_passed")


async def move_track(row: Application, code: str, state: TrackState, *, at: datetime) -> str:
    """Set where a track stands and answer its name; one that the business does not have is only named."""
    track = await ApplicationTrack.filter(application_id=row.id, code=code).first()
    if track is None:
        return code
    track.state, track.updated_at = state, at
    await track.save(update_fields=["state", "updated_at"])
    return track.name


@transactional
async def record_entry(needs: Needs, *, application_id: str, entered_at: datetime, message_id: str) -> None:
    """Entered in the register (登簿): the registration is complete and the claim ends.

    It is so too where the parties withdrew and the registry had not heard of it: 不动产登记暂行条例第15、21条.
    """
    row = await lock(application_id)
    if await recorded(row.id, message_id):
        return
    was = State(row.state)
    if was not in {State.ACCEPTED, State.WITHDRAWN}:
        await _too_late(row, message_id, at=entered_at)
        return
    row.state, row.entered_at = State.ENTERED, entered_at
    await release_claims(row.id)
    await save(needs, row, "state", "entered_at")
    note = "权利已记入不动产登记簿"
    if was is State.WITHDRAWN:
        note += "；撤回申请送达登记机构时已经登簿，撤回没有生效，有疑问请联系登记机构"
    await step(row, code="entered", name="已登簿", at=entered_at, message_id=message_id, note=note)
    await needs.outbox.publish(Entered(row.id))
    await _fee_at(needs, row, Requirements.from_json(row.requirements), "before_certificate")


@transactional
async def record_certificate(
    needs: Needs, *, application_id: str, certificate_id: str, number: str, made_at: datetime, message_id: str
) -> None:
    """A new certificate was made and its copy is kept; each certificate of the application is one message."""
    row = await lock(application_id)
    if await recorded(row.id, message_id):
        return
    if not has_case(State(row.state)):
        await _too_late(row, message_id, at=made_at)
        return
    row.state, row.certificate_id = State.CERTIFICATE_MADE, certificate_id
    await save(needs, row, "state", "certificate_id")
    note = f"证号 {number}"
    await step(row, code="certificate", name="证书已制作", at=made_at, message_id=message_id, note=note)
