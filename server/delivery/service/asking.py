from dataclasses import dataclass

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from server.delivery import rules
from server.delivery.errors import DeliveryNotFound, DeliveryOpen, DeliveryStateWrong
from server.delivery.models import DeliveryOrder
from server.delivery.ports import Needs
from server.delivery.sealed import ADDRESS, NAME, PHONE, POSTCODE
from server.delivery.states import ParcelState
from server.terms.person_name import PersonName
from server.terms.phone import Phone

_CREATED, _OK = 201, 200
_BY_A_CO_OWNER = "共有人已经申请邮寄这本证书，请与共有人商量；需要更改的，请与登记机构联系"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who gets a parcel and where, each part in its one spelling."""

    name: str
    phone: str
    district: str
    address: str
    postcode: str

    @classmethod
    def parse(cls, *, name: str, phone: str, district: str, address: str, postcode: str) -> "Receiver":
        """Raise TermError for the first part that cannot be right."""
        return cls(
            name=PersonName.parse(name).text,
            phone=Phone.parse(phone).number,
            district=rules.district(district),
            address=rules.address(address),
            postcode=rules.postcode(postcode),
        )


async def request(
    needs: Needs,
    *,
    resident_id: str,
    certificate_id: str,
    certificate_number: str,
    district: str,
    receiver: Receiver,
    key: RequestKey,
) -> str:
    """Ask for a certificate's paper by express and answer the order's id.

    DELIVERY_OPEN when it is asked for already, by the resident or by a co-owner.

    The caller knows that the certificate is the resident's and valid; `district` is the certificate's.
    """
    order_id = new_id()
    try:
        await _request(needs, order_id, resident_id, certificate_id, certificate_number, district, receiver, key)
    except IntegrityError as error:
        await _check_not_open(certificate_id, resident_id, error)
        raise
    return order_id


async def _check_not_open(certificate_id: str, resident_id: str, cause: Exception | None = None) -> None:
    """A co-owner's order is in nobody else's list, so that its owner must be named as whom to ask."""
    there = await DeliveryOrder.get_or_none(live_key=certificate_id)
    if there is None:
        return
    if there.resident_id == resident_id:
        raise DeliveryOpen from cause
    raise DeliveryOpen(_BY_A_CO_OWNER) from cause


@transactional
async def _request(
    needs: Needs,
    order_id: str,
    resident_id: str,
    certificate_id: str,
    certificate_number: str,
    district: str,
    receiver: Receiver,
    key: RequestKey,
) -> None:
    await _check_not_open(certificate_id, resident_id)
    now, cipher = needs.clock.now(), needs.cipher
    await DeliveryOrder.create(
        id=order_id,
        resident_id=resident_id,
        certificate_id=certificate_id,
        live_key=certificate_id,
        certificate_number=certificate_number,
        district=district,
        state=ParcelState.REQUESTED.value,
        receiver_name_sealed=cipher.seal(receiver.name, (NAME, order_id)),
        receiver_phone_sealed=cipher.seal(receiver.phone, (PHONE, order_id)),
        receiver_district=receiver.district,
        receiver_address_sealed=cipher.seal(receiver.address, (ADDRESS, order_id)),
        receiver_postcode_sealed=cipher.seal(receiver.postcode, (POSTCODE, order_id)),
        phone_last4=receiver.phone[-4:],
        created_at=now,
        updated_at=now,
    )
    await record(
        actor=Actor("resident", resident_id),
        action="delivery.requested",
        subject=("delivery", order_id),
        details={"certificate_id": certificate_id},
        at=now,
    )
    await key.settle(result_id=order_id, status=_CREATED)


@transactional
async def cancel(needs: Needs, *, resident_id: str, delivery_id: str, key: RequestKey) -> str:
    """Take a request back before it is sent; DELIVERY_NOT_FOUND, DELIVERY_STATE_WRONG."""
    order = await DeliveryOrder.filter(id=delivery_id, resident_id=resident_id).select_for_update().get_or_none()
    if order is None:
        raise DeliveryNotFound
    if order.state != ParcelState.REQUESTED:
        raise DeliveryStateWrong
    order.state = ParcelState.CANCELLED.value
    order.live_key = None
    order.updated_at = needs.clock.now()
    order.version += 1
    await order.save(update_fields=["state", "live_key", "updated_at", "version"])
    await record(
        actor=Actor("resident", resident_id),
        action="delivery.cancelled",
        subject=("delivery", order.id),
        at=order.updated_at,
    )
    await key.settle(result_id=order.id, status=_OK)
    return str(order.id)
