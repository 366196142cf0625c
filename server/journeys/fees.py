"""The registration fee: from the moment it falls due to the moment the registry is to hear that it is paid."""

from kit.clock import local_date
from kit.errors import Permanent
from kit.idempotency import RequestKey
from payments import queries as orders
from payments import service as payments
from payments.errors import OrderCalledOff, OrderNotFound, OrderSettled, PayerAddressMissing
from payments.events import PaymentSettled
from payments.rules import Line, OrderState
from server.applications import queries as applications_read
from server.applications import service as applications
from server.applications.events import FeeDue, Refused
from server.applications.records import ApplicationRecord, EntryRecord
from server.applications.rules import BUYER_ROLE
from server.applications.states import State
from server.catalogue import queries as catalogue
from server.catalogue.content import FeeCase, FeeLine, PropertyUse
from server.catalogue.rules import certificates_made, registration_fee
from server.identity import queries as residents
from server.journeys.house import House
from server.terms.codes import CoOwnership, HouseUsage, RegistrationType

PURPOSE = "registration_fee"
DESCRIPTION = "不动产登记费"
"""What the payer's wallet shows; it names nobody and nothing."""
_NOTHING_TO_PAY = {OrderState.SETTLED: OrderSettled, OrderState.CALLED_OFF: OrderCalledOff}


async def fall_due(house: House, event: FeeDue) -> None:
    """Hold the application, charge the buyer, and say so in the application; Permanent when no buyer has an account.

    Nothing is charged for an application that was refused meanwhile.

    The hold comes first: an application that ends while its fee is being paid would leave money behind. A fee of zero
    is settled by being opened.
    """
    application_id = event.application_id
    record = await applications_read.full(house.applications, application_id=application_id)
    if record.state is State.REFUSED:
        return
    lines = await fee_lines(house, record)
    payer_id = _payer_of(record)
    await applications.set_hold(house.applications, application_id=application_id)
    order_id = await payments.open_order(
        house.payments, purpose=PURPOSE, subject_id=application_id, payer_id=payer_id, lines=lines
    )
    await applications.record_fee_order(
        house.applications,
        application_id=application_id,
        order_id=order_id,
        amount_fen=sum(line.amount_fen for line in lines),
    )
    order = await orders.order_of(house.payments, purpose=PURPOSE, subject_id=application_id)
    if order is not None and order.state is OrderState.SETTLED:
        # Handled again after a crash, and paid meanwhile: the hold just set would outlive its payment.
        await applications.release_hold(house.applications, application_id=application_id)
    if (await applications_read.full(house.applications, application_id=application_id)).state is State.REFUSED:
        # Refused while it was being charged: `call_off` may have found no order yet.
        await call_off(house, Refused(application_id))


async def call_off(house: House, event: Refused) -> None:
    """Let nobody pay for an application that was refused; what was paid before stays until finance gives it back."""
    order = await orders.order_of(house.payments, purpose=PURPOSE, subject_id=event.application_id)
    if order is not None:
        await payments.call_off(house.payments, order_id=order.id)
        await applications.release_hold(house.applications, application_id=event.application_id)


def _payer_of(record: ApplicationRecord) -> str:
    """The first buyer: who acquires the right pays for its registration."""
    for party in record.parties:
        if party.role == BUYER_ROLE and party.resident_id is not None:
            return party.resident_id
    raise Permanent("no buyer has an account to pay from")


async def fee_lines(house: House, record: ApplicationRecord) -> list[Line]:
    """What the fee table charges for every entry of the application today, in fen."""
    schedule = await catalogue.fee_rules(house.catalogue)
    today = local_date(house.clock.now())
    charged: list[FeeLine] = []
    for entry in record.entries:
        case = await _fee_case(house, record, entry)
        charged += registration_fee(schedule, case, on=today, district=record.district).lines
    return [Line(line.code, line.name, line.amount_fen) for line in charged]


async def _fee_case(house: House, record: ApplicationRecord, entry: EntryRecord) -> FeeCase:
    business = await catalogue.business(
        house.catalogue,
        code=entry.business_type,
        district=record.district,
        version=record.requirements.version,
    )
    shares = [
        role.share
        for party in record.parties
        for role in party.roles
        if role.role == BUYER_ROLE and role.entry_position == entry.position
    ]
    by_shares = len(shares) > 1 and all(share is not None for share in shares)
    return FeeCase(
        registration_type=RegistrationType(entry.registration_type),
        property_use=property_use(entry.unit.usage),
        certificates=certificates_made(
            business.output,
            holders=len(shares),
            co_ownership=CoOwnership.BY_SHARES if by_shares else CoOwnership.JOINT,
        ),
    )


def property_use(usage: str) -> PropertyUse:
    """The fee table's class of a unit's registered use; a use we have no word for is charged as any other."""
    if usage not in set(HouseUsage):
        return PropertyUse.OTHER
    known = HouseUsage(usage)
    if known.is_parking():
        return PropertyUse.PARKING
    return PropertyUse.RESIDENTIAL if known.is_home() else PropertyUse.OTHER


async def settled(house: House, event: PaymentSettled) -> None:
    """Tell the application that its fee is paid, which gives up the hold; other purposes are not ours."""
    if event.purpose != PURPOSE:
        return
    order = await orders.order_of(house.payments, purpose=event.purpose, subject_id=event.subject_id)
    if order is None or order.paid_at is None or order.transaction_id is None:
        raise Permanent("a settled order without its settlement")
    await applications.record_fee_settled(
        house.applications,
        application_id=event.subject_id,
        order_id=order.id,
        amount_fen=order.amount_fen,
        paid_at=order.paid_at,
        transaction_id=order.transaction_id,
    )


async def pay(house: House, *, application_id: str, resident_id: str, wallet: str, key: RequestKey) -> str:
    """Place the application's fee at the payer's wallet and answer the attempt's id.

    Errors: ORDER_NOT_FOUND also for a party who is not the payer, PAYER_NOT_LINKED, those of `payments.service.pay`.
    """
    order = await orders.order_of(house.payments, purpose=PURPOSE, subject_id=application_id)
    if order is None or order.payer_id != resident_id:
        raise OrderNotFound
    address = await residents.wallet_address(house.identity, resident_id=resident_id, wallet=wallet)
    if address is None:
        # Whoever owes nothing is not sent to log in elsewhere and pay.
        raise _NOTHING_TO_PAY.get(order.state, PayerAddressMissing)
    return await payments.pay(
        house.payments,
        order_id=order.id,
        payer_id=resident_id,
        payer_address=address,
        wallet=wallet,
        description=DESCRIPTION,
        key=key,
    )
