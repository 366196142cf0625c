import asyncio
from dataclasses import replace

import pytest

from kit.clock import FixedClock
from kit.db import fetch, fetch_one
from kit.errors import OutsideError, Problem
from kit.idempotency import RequestKey, once
from kit.idempotency.service import new_key
from server.adapters.fake_face import FakeFace
from server.adapters.fake_login import FakeWallet
from server.identity import errors, queries, service
from server.identity.ports import FaceOutcome, FaceSubject
from server.identity.rules import FaceFailure, FaceState, Level
from tests.factories import identity as make
from tests.factories.identity import MadeResident, World, resident, world

DIGEST = "a1" * 32


def key(clock: FixedClock, text: str = "key-0001") -> RequestKey:
    return new_key(who="resident:r", route="POST /face-checks", key=text, digest="d", clock=clock)


async def opened(city: World, made: MadeResident) -> str:
    return await service.open_face_check(
        city.needs, resident_id=made.id, action="real_name", name=made.name, id_number=made.id_number
    )


async def test_the_real_name_is_bound_when_the_face_passes(city: World) -> None:
    made = await resident(city, real_name=True, name="欧阳小强")
    shown = await queries.me(city.needs, resident_id=made.id)
    assert shown.level == Level.REAL_NAME
    assert shown.name_masked == "欧阳**"
    assert shown.id_number_masked == f"320{'*' * 11}{made.id_number[-4:]}"
    person = await queries.person(city.needs, resident_id=made.id)
    assert (person.name, person.id_number, person.id_kind) == ("欧阳小强", made.id_number, "resident_id")
    assert await queries.residents_by_id_number(city.needs, blinds=[person.id_number_blind, "x"]) == {
        person.id_number_blind: made.id
    }
    assert await queries.residents_by_id_number(city.needs, blinds=[]) == {}


async def test_who_was_verified_is_told_once(city: World) -> None:
    made = await resident(city)
    check_id = await make.verify(city, made)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    rows = await fetch("SELECT handler, payload FROM kit_outbox")
    assert rows == [{"handler": "applications.bind_parties", "payload": f'{{"resident_id":"{made.id}"}}'}]
    deeds = await fetch("SELECT action FROM kit_audit ORDER BY id")
    assert [row["action"].removeprefix("identity.") for row in deeds] == [
        "signed_in",
        "face_check_opened",
        "real_name_verified",
        "face_check_settled",
    ]


async def test_nothing_of_the_person_lies_in_clear(city: World) -> None:
    made = await resident(city, phone=True)
    check_id = await opened(city, made)
    view = await queries.face_check(city.needs, resident_id=made.id, check_id=check_id)
    tables = ("identity_resident", "identity_face_check", "identity_wallet_account", "kit_audit", "kit_outbox")

    async def text() -> str:
        return "".join([str(await fetch(f"SELECT * FROM {table}")) for table in tables])  # noqa: S608 - ours

    before = await text()
    city.face.look(view.verify_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    for secret in (made.name, made.id_number, made.phone, made.openid, view.verify_id):
        assert secret not in before + await text()
    row = await fetch_one("SELECT subject_sealed FROM identity_face_check")
    assert row == {"subject_sealed": None}


@pytest.mark.parametrize(
    ("name", "number", "error"),
    [
        ("", "32011419900307001X", errors.NameInvalid),
        ("王2", "32011419900307001X", errors.NameInvalid),
        ("王强", "", errors.IdNumberInvalid),
        ("王强", "123", errors.IdNumberInvalid),
        ("王强", "32011419900231001X", errors.IdBirthDateInvalid),
        ("王强", "WRONG", errors.IdCheckDigitWrong),
        ("王强", "E12345678", errors.IdNumberInvalid),
    ],
)
async def test_a_wrong_name_or_number_is_refused_before_anybody_is_asked(
    city: World, name: str, number: str, error: type[Problem]
) -> None:
    made = await resident(city)
    if number == "WRONG":
        good = make.id_number()
        number = good[:-1] + ("0" if good[-1] != "0" else "1")
    with pytest.raises(error) as refused:
        await service.open_face_check(city.needs, resident_id=made.id, action="real_name", name=name, id_number=number)
    assert refused.value.errors[0].field == ("name" if error is errors.NameInvalid else "id_number")
    assert not await fetch("SELECT id FROM identity_face_check")


async def test_a_lower_case_x_and_full_width_digits_are_the_same_person(city: World) -> None:
    made = await resident(city, number=make.id_number(sequence=1))
    number = next(n for n in (make.id_number(sequence=s) for s in range(1, 999)) if n.endswith("X"))
    twin = replace(made, id_number=number.lower())
    await make.verify(city, twin)
    person = await queries.person(city.needs, resident_id=made.id)
    assert person.id_number == number
    assert person.id_number_blind == city.needs.cipher.blind(number, purpose="id_number")


async def test_a_verified_resident_cannot_become_somebody_else_but_may_repeat(city: World) -> None:
    made = await resident(city, real_name=True)
    with pytest.raises(errors.IdentityFixed):
        await opened(city, replace(made, id_number=make.id_number()))
    await make.verify(city, made)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.REAL_NAME


async def test_of_two_checks_opened_before_either_passed_the_second_binds_nobody_else(city: World) -> None:
    made = await resident(city, name="王小强")
    other = replace(made, name="李小明", id_number=make.id_number())
    first, second = await opened(city, made), await opened(city, other)
    for check_id in (first, second):
        await make.look(city, made, check_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=first)
    for _ in range(2):
        with pytest.raises(errors.IdentityFixed):
            await service.settle_face_check(city.needs, resident_id=made.id, check_id=second)
    person = await queries.person(city.needs, resident_id=made.id)
    assert (person.name, person.id_number) == (made.name, made.id_number)
    assert (await queries.face_check(city.needs, resident_id=made.id, check_id=second)).state is FaceState.FAILED


async def test_a_second_account_of_the_same_wallet_is_refused_each_time(city: World) -> None:
    first = await resident(city, real_name=True)
    second = await resident(city, name=first.name, number=first.id_number)
    check_id = await opened(city, second)
    await make.look(city, second, check_id)
    for _ in range(2):
        with pytest.raises(errors.IdentityAlreadyBound):
            await service.settle_face_check(city.needs, resident_id=second.id, check_id=check_id)
    view = await queries.face_check(city.needs, resident_id=second.id, check_id=check_id)
    assert view.state == FaceState.FAILED
    assert view.state_text == errors.IdentityAlreadyBound.title
    assert (await queries.me(city.needs, resident_id=second.id)).level == Level.WALLET


async def test_another_wallet_of_the_same_person_joins_the_resident(city: World) -> None:
    first = await resident(city, real_name=True)
    # The second wallet's camera is the same; only its accounts differ.
    wallet = FakeWallet(wallet="alipay", app_id="2021")
    other = world(wallet=wallet, clock=city.clock, face=city.face)
    started = await service.start_session(other.needs, code=wallet.give_login_code("o2"))
    second = replace(first, id=started.resident_id, token=started.token)
    await make.verify(other, second)
    who = await queries.authenticate(other.needs, token=started.token)
    assert who is not None
    assert (who.id, who.level) == (first.id, Level.REAL_NAME)
    assert await queries.wallet_address(city.needs, resident_id=first.id, wallet="alipay") == "o2"
    again = await service.start_session(other.needs, code=wallet.give_login_code("o2"))
    assert again.resident_id == first.id


async def test_two_accounts_proving_one_identity_at_once_leave_one_holder(city: World) -> None:
    first = await resident(city)
    second = await resident(city, name=first.name, number=first.id_number)
    checks = []
    for made in (first, second):
        checks.append(await opened(city, made))
        await make.look(city, made, checks[-1])
    results = await asyncio.gather(
        *(
            service.settle_face_check(city.needs, resident_id=made.id, check_id=check)
            for made, check in zip((first, second), checks, strict=True)
        ),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["IdentityAlreadyBound", "str"]
    assert len(await fetch("SELECT id FROM identity_resident WHERE level = 3")) == 1


async def test_undecided_stays_open_and_can_still_pass(city: World) -> None:
    made = await resident(city)
    check_id = await opened(city, made)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    view = await queries.face_check(city.needs, resident_id=made.id, check_id=check_id)
    assert view.state == FaceState.OPENED
    city.face.look(view.verify_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.REAL_NAME


async def test_settled_twice_at_once_is_settled_once(city: World) -> None:
    made = await resident(city)
    check_id = await opened(city, made)
    await make.look(city, made, check_id)
    await asyncio.gather(
        *(service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id) for _ in range(3))
    )
    assert len(await fetch("SELECT id FROM kit_outbox")) == 1
    assert (await queries.me(city.needs, resident_id=made.id)).version == 2


async def test_a_failure_is_final_and_says_why(city: World) -> None:
    made = await resident(city)
    check_id = await opened(city, made)
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
    check_id = await opened(city, made)
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

    async def open(self, *, number: str, subject: FaceSubject) -> str:
        self.numbers.append(number)
        verify_id = await super().open(number=number, subject=subject)
        self._break()
        return verify_id

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
                city.needs, resident_id=made.id, action="real_name", name=made.name, id_number=made.id_number, key=held
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
        await opened(city, made)
    row = await fetch_one("SELECT id FROM identity_face_check")
    assert row
    with pytest.raises(errors.FaceCheckNotFound):
        await service.settle_face_check(city.needs, resident_id=made.id, check_id=row["id"])


async def test_when_the_wallet_is_down_the_check_stays_open(db: object) -> None:
    camera = Unsteady(breaks=0)
    city = world(face=camera)
    made = await resident(city)
    check_id = await opened(city, made)
    await make.look(city, made, check_id)
    camera.breaks = 1
    with pytest.raises(OutsideError):
        await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    await service.settle_face_check(city.needs, resident_id=made.id, check_id=check_id)
    assert (await queries.me(city.needs, resident_id=made.id)).level == Level.REAL_NAME


class Overtaken(FakeFace):
    """While the wallet answers, a repeat of the request takes over."""

    async def open(self, *, number: str, subject: FaceSubject) -> str:
        from kit.db import execute

        await execute("UPDATE identity_face_check SET number = 'taken' WHERE number = ?", [number])
        return await super().open(number=number, subject=subject)


async def test_an_answer_that_comes_too_late_opens_nothing(db: object) -> None:
    city = world(face=Overtaken())
    made = await resident(city)
    with pytest.raises(errors.FaceCheckNotFound):
        await opened(city, made)
    assert await fetch("SELECT state FROM identity_face_check") == [{"state": "opening"}]


async def test_settling_under_a_key_is_remembered_only_when_final(city: World) -> None:
    made = await resident(city)
    check_id = await opened(city, made)

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
        await service.open_face_check(city.needs, resident_id=stranger.id, action="confirm_application", digest=DIGEST)
    made = await resident(city, real_name=True)
    for digest in (None, "", "A1" * 32, "a1" * 31):
        with pytest.raises(errors.FaceDigestInvalid):
            await service.open_face_check(city.needs, resident_id=made.id, action="confirm_application", digest=digest)


async def test_without_a_wallet_account_no_check_is_opened(city: World) -> None:
    made = await resident(city)
    for table in ("identity_session", "identity_wallet_account"):
        from kit.db import execute

        await execute(f"DELETE FROM {table}")  # noqa: S608 - ours
    with pytest.raises(errors.WalletMissing):
        await opened(city, made)


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
