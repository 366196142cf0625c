"""Everything the outside world is, put together once."""

from dataclasses import dataclass
from pathlib import Path

from sandbox import credentials
from sandbox.alipay.platform import Alipay, open_platform
from sandbox.books import Books
from sandbox.carrier.kuaidi100 import Kuaidi100
from sandbox.carrier.parcels import Parcels
from sandbox.carrier.sf import Sf
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.deliveries import Courier
from sandbox.departments.hub import Hub
from sandbox.departments.records import Records
from sandbox.exchange import Exchange
from sandbox.faults import Faults
from sandbox.people import People
from sandbox.sms.cloud import SmsCloud
from sandbox.tax import TaxBureau
from sandbox.wechat.bills import Bills
from sandbox.wechat.face import Faces
from sandbox.wechat.login import Login
from sandbox.wechat.messages import Messages
from sandbox.wechat.pay import Pay
from sandbox.wechat.pay_notify import Announcer
from sandbox.wechat.pay_orders import Orders
from sandbox.wechat.pay_stamp import Stamp
from sandbox.wechat.refund_books import Refunds
from sandbox.wechat.refunds import RefundDesk
from sandbox.wechat.tokens import Tokens
from sandbox.yc_door import YcDoor


@dataclass(frozen=True, slots=True)
class World:
    keys: Keys
    clock: Clock
    books: Books
    people: People
    faults: Faults
    exchange: Exchange
    courier: Courier
    tokens: Tokens
    login: Login
    faces: Faces
    messages: Messages
    orders: Orders
    announcer: Announcer
    pay: Pay
    refunds: RefundDesk
    bills: Bills
    bureau: TaxBureau
    hub: Hub
    alipay: Alipay
    sms: SmsCloud
    parcels: Parcels
    kuaidi100: Kuaidi100
    sf: Sf


def open_world(directory: Path, *, time_scale: float = 1.0) -> World:
    """Keys from `directory`, and what its books say happened before; raises FileNotFoundError before `init`."""
    keys = credentials.load(directory)
    clock = Clock()
    books = Books(directory / "books", clock)
    people = People(books)
    faults = Faults()
    courier = Courier(clock=clock, faults=faults, books=books, time_scale=time_scale)
    tokens = Tokens(keys=keys, clock=clock)
    parcels = Parcels(books, clock)
    orders = Orders(books=books, clock=clock)
    stamp = Stamp(keys=keys, clock=clock)
    announcer = Announcer(keys=keys, clock=clock, orders=orders, courier=courier, stamp=stamp)
    refund_books = Refunds(books=books, clock=clock)
    pay = Pay(keys=keys, clock=clock, people=people, orders=orders, announcer=announcer)
    return World(
        keys=keys,
        clock=clock,
        books=books,
        people=people,
        faults=faults,
        exchange=Exchange(faults, books, clock),
        courier=courier,
        tokens=tokens,
        login=Login(keys=keys, clock=clock, people=people, tokens=tokens),
        faces=Faces(clock=clock, people=people, tokens=tokens),
        messages=Messages(keys=keys, clock=clock, books=books, people=people, tokens=tokens),
        orders=orders,
        announcer=announcer,
        pay=pay,
        refunds=RefundDesk(
            keys=keys,
            clock=clock,
            orders=orders,
            books=refund_books,
            pay=pay,
            courier=courier,
            stamp=stamp,
            time_scale=time_scale,
        ),
        bills=Bills(
            keys=keys,
            clock=clock,
            books=books,
            orders=orders,
            refunds=refund_books,
            check_signature=pay.check_signature,
        ),
        hub=Hub(door=_hub_door(keys, clock), clock=clock, books=books, records=Records(books, people)),
        bureau=TaxBureau(keys=keys, clock=clock, books=books, people=people, courier=courier),
        parcels=parcels,
        kuaidi100=Kuaidi100(keys=keys, parcels=parcels, courier=courier),
        sf=Sf(keys=keys, parcels=parcels),
        sms=SmsCloud(keys=keys, clock=clock, books=books),
        alipay=open_platform(keys=keys, clock=clock, books=books, people=people, courier=courier),
    )


def _hub_door(keys: Keys, clock: Clock) -> YcDoor:
    return YcDoor(clock, keys.hub_key_id, keys.hub_key, keys.city_key_id, keys.city_hub_public)
