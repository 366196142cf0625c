"""The open platform put together: one gateway before all of its interfaces."""

from dataclasses import dataclass

from sandbox.alipay.announcing import Announcer
from sandbox.alipay.billing import Billing
from sandbox.alipay.certifying import PAGE_METHOD, Certifying
from sandbox.alipay.gateway import Gateway, Interface, Page
from sandbox.alipay.login import Login
from sandbox.alipay.messages import Messages
from sandbox.alipay.ordering import Ordering
from sandbox.alipay.refunding import Refunding
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
    certifying: Certifying
    trades: Trades
    ordering: Ordering
    announcer: Announcer
    billing: Billing
    messages: Messages


def open_platform(*, keys: Keys, clock: Clock, books: Books, people: People, courier: Courier) -> Alipay:
    """With everything that the books say happened before."""
    login = Login(keys=keys, clock=clock, people=people)
    trades = Trades(books=books, clock=clock)
    announcer = Announcer(keys=keys, clock=clock, people=people, trades=trades, courier=courier)
    ordering = Ordering(keys=keys, clock=clock, people=people, trades=trades, announcer=announcer)
    refunding = Refunding(people=people, trades=trades, announcer=announcer)
    certifying = Certifying(clock=clock, people=people)
    billing = Billing(keys=keys, clock=clock, books=books, trades=trades)
    messages = Messages(keys=keys, clock=clock, books=books, people=people)
    interfaces = {
        "alipay.system.oauth.token": Interface("alipay.oauth", login.token, bare=True),
        "alipay.trade.create": Interface("alipay.trade_create", ordering.create),
        "alipay.trade.query": Interface("alipay.trade_query", ordering.query),
        "alipay.trade.close": Interface("alipay.trade_close", ordering.close),
        "alipay.trade.refund": Interface("alipay.refund", refunding.refund),
        "alipay.trade.fastpay.refund.query": Interface("alipay.refund_query", refunding.query),
        "alipay.user.certify.open.initialize": Interface("alipay.certify_open", certifying.initialize),
        "alipay.user.certify.open.query": Interface("alipay.certify_query", certifying.query),
        "alipay.data.dataservice.bill.downloadurl.query": Interface("alipay.bill", billing.link),
        "alipay.open.app.mini.templatemessage.send": Interface("alipay.message", messages.send),
        "alipay.open.app.messagetemplate.subscribe.query": Interface("alipay.subscribe_query", messages.query),
    }
    pages = {PAGE_METHOD: Page("alipay.certify_page", certifying.page)}
    return Alipay(
        gateway=Gateway(keys=keys, clock=clock, interfaces=interfaces, pages=pages),
        login=login,
        certifying=certifying,
        trades=trades,
        ordering=ordering,
        announcer=announcer,
        billing=billing,
        messages=messages,
    )
