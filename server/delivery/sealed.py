"""Where a parcel's personal data is sealed."""

from kit.crypto.cipher import Cipher
from server.delivery.models import DeliveryOrder

NAME = "delivery_order.receiver_name_sealed"
PHONE = "delivery_order.receiver_phone_sealed"
ADDRESS = "delivery_order.receiver_address_sealed"
POSTCODE = "delivery_order.receiver_postcode_sealed"
SETTLEMENT = "delivery_order.settlement_sealed"
TEXT = "delivery_event.text_sealed"


def phone_of(cipher: Cipher, order: DeliveryOrder) -> str:
    """The receiver's number in clear."""
    return cipher.open(order.receiver_phone_sealed, (PHONE, order.id))
