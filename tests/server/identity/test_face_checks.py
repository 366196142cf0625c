import asyncio

import pytest

from kit.clock import FixedClock
from kit.db import execute, fetch, fetch_one
from kit.errors import OutsideError
from kit.idempotency import RequestKey, once
from kit.idempotency.service import new_key
from server.adapters.fake_face import FakeFace
from server.identity import errors, queries, service
from server.identity.ports import FaceOutcome, FaceSubject, OpenedFace
from server.identity.rules import FaceFailure, FaceState, Level
from tests.factories import identity as make
from tests.factories.identity import MadeResident, World, resident, world

DIGEST = "a1" * 32


def key(clock: FixedClock, text: str = "key-0001") -> RequestKey:
    return new_key(who="resident:r", route="POST /face-checks", key=text, digest="d", clock=clock)


async def test_undecided_stays_open_and_can_still_pass(city: World) -> None:
    made = await resident(city)
    check_id = await make.opened(city, made)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    view = await queries.face_check(city.needs, resident_id=made.id, check_id=check_id)
    assert view.state == FaceState.OPENED
    city.face.look(view.verify_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.REAL_NAME


async def test_settled_twice_at_once_is_settled_once(city: World) -> None:
    made = await resident(city)
    check_id = await make.opened(city, made)
    await make.look(city, made, check_id)
    await asyncio.gather(
        *(service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id) for _ in range(3))
    )
    assert len(await fetch("SELECT id FROM kit_outbox")) == 1
    assert (await queries.me(city.needs, resident_id=made.id)).version == 2


async def test_a_failure_is_final_and_says_why(city: World) -> None:
    made = await resident(city)
    check_id = await make.opened(city, made)
    view = await queries.face_check(city.needs, resident_id=made.id, check_id=check_id)
    city.face.look(view.verify_id, failure=FaceFailure.CANCELLED)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    city.face.look(view.verify_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    view = await queries.face_check(city.needs, resident_id=made.id, check_id=check_id)
    assert (view.state, view.state_text) == (FaceState.FAILED, "您已取消人脸核验，需要时请重新发起")
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.WALLET


async def test_a_check_is_settled_within_fifteen_minutes_and_by_its_resident(city: World) -> None:
    made, other = await resident(city), await resident(city)
    check_id = await make.opened(city, made)
    with pytest.raises(errors.FaceCheckNotFound):
        await service.settle_face_check(city.needs, resident_id=other.id, check_id=check_id)
    with pytest.raises(errors.FaceCheckNotFound):
        await queries.face_check(city.needs, resident_id=other.id, check_id=check_id)
    city.clock.advance(seconds=15 * 60)
    with pytest.raises(errors.FaceCheckExpired):
        await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)


class Unsteady(FakeFace):
    """Opens the check and then breaks the line, as often as told; may also be down when asked how it ended."""

    def __init__(self, *, breaks: int) -> None:
        super().__init__()
        self.breaks = breaks
        self.numbers: list[str] = []

    async def open(self, *, number: str, subject: FaceSubject) -> OpenedFace:
        self.numbers.append(number)
        opened = await super().open(number=number, subject=subject)
        self._break()
        return opened

    async def outcome(self, *, number: str, verify_id: str, subject: FaceSubject) -> FaceOutcome:
        self._break()
        return await super().outcome(number=number, verify_id=verify_id, subject=subject)

    def _break(self) -> None:
        if self.breaks:
            self.breaks -= 1
            raise OutsideError("face", "TIMEOUT", "no answer", permanent=False)


async def test_a_repeat_after_a_broken_line_goes_on_with_the_same_check(db: object) -> None:
    city = world(face=Unsteady(breaks=1))
    made = await resident(city)

    async def ask() -> str:
        outcome = await once(
            key(city.clock),
            lambda held: service.open_face_check(
                city.needs,
                resident_id=made.id,
                wallet="wechat",
                action="real_name",
                name=made.name,
                id_number=made.id_number,
                key=held,
            ),
            status=201,
            calls_outside=True,
        )
        return outcome.result_id

    with pytest.raises(OutsideError):
        await ask()
    assert await fetch("SELECT state FROM identity_face_check") == [{"state": "opening"}]
    check_id = await ask()
    assert await ask() == check_id
    assert isinstance(city.face, Unsteady)
    assert len(set(city.face.numbers)) == 2
    assert city.face.numbers[0] == check_id
    assert len(await fetch("SELECT id FROM identity_face_check")) == 1
    await make.look(city, made, check_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.REAL_NAME


async def test_a_check_that_never_opened_cannot_be_settled(db: object) -> None:
    city = world(face=Unsteady(breaks=1))
    made = await resident(city)
    with pytest.raises(OutsideError):
        await make.opened(city, made)
    row = await fetch_one("SELECT id FROM identity_face_check")
    assert row
    with pytest.raises(errors.FaceCheckNotFound):
        await service.settle_face_check(city.needs, resident_id=made.id, check_id=row["id"])


async def test_when_the_wallet_is_down_the_check_stays_open(db: object) -> None:
    camera = Unsteady(breaks=0)
    city = world(face=camera)
    made = await resident(city)
    check_id = await make.opened(city, made)
    await make.look(city, made, check_id)
    camera.breaks = 1
    with pytest.raises(OutsideError):
        await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.REAL_NAME


class Overtaken(FakeFace):
    """While the wallet answers, a repeat of the request takes over."""

    async def open(self, *, number: str, subject: FaceSubject) -> OpenedFace:
        await execute("UPDATE identity_face_check SET number = 'taken' WHERE number = ?", [number])
        return await super().open(number=number, subject=subject)


async def test_an_answer_that_comes_too_late_opens_nothing(db: object) -> None:
    city = world(face=Overtaken())
    made = await resident(city)
    with pytest.raises(errors.FaceCheckNotFound):
        await make.opened(city, made)
    assert await fetch("SELECT state FROM identity_face_check") == [{"state": "opening"}]


async def test_settling_under_a_key_is_remembered_only_when_final(city: World) -> None:
    made = await resident(city)
    check_id = await make.opened(city, made)

    async def ask() -> bool:
        outcome = await once(
            key(city.clock),
            lambda held: service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id, key=held),
            status=200,
        )
        assert outcome.result_id == check_id
        return outcome.replayed

    assert not await ask()
    await make.look(city, made, check_id)
    assert not await ask()
    assert await ask()


async def test_confirming_needs_the_real_name_and_a_digest(city: World) -> None:
    stranger = await resident(city)
    with pytest.raises(errors.RealNameRequired):
        await service.open_face_check(
            city.needs, resident_id=stranger.id, wallet="wechat", action="confirm_application", digest=DIGEST
        )
    made = await resident(city, real_name=True)
    for digest in (None, "", "A1" * 32, "a1" * 31):
        with pytest.raises(errors.FaceDigestInvalid):
            await service.open_face_check(
                city.needs, resident_id=made.id, wallet="wechat", action="confirm_application", digest=digest
            )


async def test_without_a_wallet_account_no_check_is_opened(city: World) -> None:
    made = await resident(city)
    for table in ("identity_session", "identity_wallet_account"):
        await execute(f"DELETE FROM {table}")  # noqa: S608 - ours
    with pytest.raises(errors.WalletMissing):
        await make.opened(city, made)


async def test_a_check_is_consumed_once_for_exactly_its_digest(city: World) -> None:
    made, other = await resident(city, real_name=True), await resident(city, real_name=True)
    check_id = await make.confirmed_check(city, made, digest=DIGEST)

    async def consume(*, by: str = "c1", digest: str = DIGEST, who: MadeResident = made) -> None:
        await service.consume_face_check(
            city.needs,
            check_id=check_id,
            resident_id=who.id,
            action="confirm_application",
            digest=digest,
            consumed_by=by,
        )

    with pytest.raises(errors.FaceCheckMismatch):
        await consume(digest="b2" * 32)
    with pytest.raises(errors.FaceCheckNotFound):
        await consume(who=other)
    await consume()
    await consume()
    with pytest.raises(errors.FaceCheckUsed):
        await consume(by="c2")
    city.clock.advance(seconds=3600)
    await consume()


async def test_of_two_confirmations_at_once_one_gets_the_check(city: World) -> None:
    made = await resident(city, real_name=True)
    check_id = await make.confirmed_check(city, made, digest=DIGEST)
    results = await asyncio.gather(
        *(
            service.consume_face_check(
                city.needs,
                check_id=check_id,
                resident_id=made.id,
                action="confirm_application",
                digest=DIGEST,
                consumed_by=f"c{number}",
            )
            for number in range(4)
        ),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results if result] == ["FaceCheckUsed"] * 3


async def test_a_real_name_check_is_used_up_by_itself(city: World) -> None:
    made = await resident(city)
    check_id = await make.verify(city, made)
    row = await fetch_one("SELECT digest FROM identity_face_check WHERE id = ?", [check_id])
    assert row
    with pytest.raises(errors.FaceCheckUsed):
        await service.consume_face_check(
            city.needs,
            check_id=check_id,
            resident_id=made.id,
            action="real_name",
            digest=row["digest"],
            consumed_by="c1",
        )


async def test_a_passed_check_expires(city: World) -> None:
    made = await resident(city, real_name=True)
    check_id = await make.confirmed_check(city, made, digest=DIGEST)
    city.clock.advance(seconds=15 * 60)
    with pytest.raises(errors.FaceCheckExpired):
        await service.consume_face_check(
            city.needs,
            check_id=check_id,
            resident_id=made.id,
            action="confirm_application",
            digest=DIGEST,
            consumed_by="c1",
        )
