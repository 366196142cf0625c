"""Residents with a session, made through the service: at level wallet, with a phone, or under the real name."""

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kit.clock import Clock, FixedClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import BLIND, KeyRing
from kit.outbox import Handler, Outbox
from server.adapters.fake_face import FakeFace
from server.adapters.fake_login import FakeAlipay, FakeWallet
from server.identity import queries, service
from server.identity.ports import Needs, WalletDoor
from server.terms.id_document import citizen_check

_counter = itertools.count(1)
PAGE = "https://alipay.example/certify"


def cipher() -> Cipher:
    return Cipher(KeyRing({"k1": b"1" * 32, BLIND: b"b" * 32}, "k1"))


def id_number(*, born: str = "19900307", sequence: int | None = None) -> str:
    """A valid number of a resident identity card, another one each time."""
    body = f"320114{born}{(sequence if sequence is not None else next(_counter)) % 1000:03d}"
    return body + citizen_check(body)


@dataclass(frozen=True)
class World:
    """Identity with a wallet and a camera in memory."""

    needs: Needs
    wallet: FakeWallet
    face: FakeFace
    clock: FixedClock


async def _listen(house: object, event: object) -> None:
    """Nobody handles in these tests; the row is what counts."""


def world(*, wallet: FakeWallet | None = None, clock: Clock | None = None, face: FakeFace | None = None) -> World:
    from server.identity.events import RealNameVerified, WalletJoined

    moment = clock if isinstance(clock, FixedClock) else FixedClock(datetime(2026, 11, 21, 4, 0, tzinfo=UTC))
    fake, camera = wallet or FakeWallet(), face or FakeFace()
    handlers = [
        Handler("applications.bind_parties", RealNameVerified, _listen),
        Handler("telling.wallet_joined", WalletJoined, _listen),
    ]
    outbox = Outbox(handlers, clock=moment, wake=lambda: None)
    doors = {fake.wallet: WalletDoor(login=fake, phones=fake, face=camera)}
    needs = Needs(clock=moment, cipher=cipher(), outbox=outbox, wallets=doors)
    return World(needs, fake, camera, moment)


class Both:
    """One house with a door for each wallet; `wechat` and `alipay` are the people's side of them."""

    def __init__(self, *, clock: FixedClock | None = None, outbox: Outbox | None = None) -> None:
        self.wechat = world(clock=clock)
        self.alipay_wallet = FakeAlipay()
        face = FakeFace(page=PAGE)
        doors = {
            **self.wechat.needs.wallets,
            "alipay": WalletDoor(login=self.alipay_wallet, phones=self.alipay_wallet, face=face),
        }
        self.needs = replace(self.wechat.needs, wallets=doors, outbox=outbox or self.wechat.needs.outbox)
        self.alipay = World(self.needs, self.alipay_wallet, face, self.wechat.clock)
        self.wechat = replace(self.wechat, needs=self.needs)


@dataclass(frozen=True)
class MadeResident:
    """A resident with what only the phone and the person know."""

    id: str
    token: str
    session_id: str
    openid: str
    name: str
    id_number: str
    phone: str


async def resident(
    world: World,
    *,
    phone: bool = False,
    real_name: bool = False,
    openid: str | None = None,
    name: str = "王小强",
    number: str | None = None,
) -> MadeResident:
    """Traits: `phone` binds a number, `real_name` passes the real-name check."""
    sequence = next(_counter)
    openid = openid or f"oFAKE-{sequence:022d}"
    started = await service.start_session(
        world.needs, wallet=world.wallet.wallet, code=world.wallet.give_login_code(openid)
    )
    made = MadeResident(
        id=started.resident_id,
        token=started.token,
        session_id=started.session_id,
        openid=openid,
        name=name,
        id_number=number or id_number(),
        phone=f"138{sequence:08d}",
    )
    if phone:
        code = world.wallet.give_phone_code(openid, made.phone)
        await service.bind_phone(world.needs, resident_id=made.id, wallet=world.wallet.wallet, code=code)
    if real_name:
        await verify(world, made)
    return made


async def opened(city: World, made: MadeResident) -> str:
    """A real-name check that waits for the face; answers its id."""
    return await service.open_face_check(
        city.needs,
        resident_id=made.id,
        wallet=city.wallet.wallet,
        action="real_name",
        name=made.name,
        id_number=made.id_number,
    )


async def verify(world: World, made: MadeResident) -> str:
    """Pass the real-name check; answers its id."""
    check_id = await opened(world, made)
    await look(world, made, check_id)
    await service.settle_face_check(world.needs, resident_id=made.id, check_id=check_id)
    return check_id


async def look(world: World, made: MadeResident, check_id: str) -> None:
    """The person looks into the camera, and it is they."""
    view = await queries.face_check(world.needs, resident_id=made.id, check_id=check_id)
    world.face.look(view.verify_id)


async def confirmed_check(world: World, made: MadeResident, *, digest: str) -> str:
    """A passed check over `digest`, not consumed yet."""
    check_id = await service.open_face_check(
        world.needs, resident_id=made.id, wallet=world.wallet.wallet, action="confirm_application", digest=digest
    )
    await look(world, made, check_id)
    await service.settle_face_check(world.needs, resident_id=made.id, check_id=check_id)
    return check_id
