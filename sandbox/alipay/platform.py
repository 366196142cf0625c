"""The open platform put together: one gateway before all of its interfaces."""

from dataclasses import dataclass

from sandbox.alipay.announcing import Announcer
from sandbox.alipay.gateway import Gateway, Interface
from sandbox.alipay.login import Login
from sandbox.alipay.ordering import Ordering
from sandbox.alipay.trades import Trades
from sandbox.books import Books
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.deliveries import Courier
from sandbox.people import People


@dataclass(frozen=True, slots=True)
class Alipay:
    gateway: Gateway
    login: Login
    trades: Trades
    ordering: Ordering
    announcer: Announcer


def open_platform(*, keys: Keys, clock: Clock, books: Books, people: People, courier: Courier) -> Alipay:
    """With everything that the books say happened before."""
    login = Login(keys=keys, clock=clock, people=people)
    trades = Trades(books=books, clock=clock)
    announcer = Announcer(keys=keys, clock=clock, people=people, trades=trades, courier=courier)
    ordering = Ordering(keys=keys, clock=clock, people=people, trades=trades, announcer=announcer)
    interfaces = {
        "alipay.system.oauth.token": Interface("alipay.oauth", login.token, bare=True),
        "alipay.trade.create": Interface("alipay.trade_create", ordering.create),
        "alipay.trade.query": Interface("alipay.trade_query", ordering.query),
        "alipay.trade.close": Interface("alipay.trade_close", ordering.close),
    }
    return Alipay(
        gateway=Gateway(keys=keys, clock=clock, interfaces=interfaces),
        login=login,
        trades=trades,
        ordering=ordering,
        announcer=announcer,
    )
