"""Where the registry's personal data is sealed, and how it is opened again."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from kit.crypto.cipher import Cipher
from server.registry.models import RegistryCase, RegistryCaseEntry, RegistryHolder, RegistryUnit
from server.registry.package import Party, parties_from, parties_to
from server.terms.id_document import ID_NUMBER_INDEX
from server.terms.unit_record import Owner

MESSAGE_BODY = "registry_message.body_sealed"
_CONFIRMATIONS = "registry_case.confirmations_sealed"
_PARTIES = "registry_case_entry.parties_sealed"
_LOCATION = "registry_unit.location_sealed"
_NAME, _NUMBER = "registry_holder.name_sealed", "registry_holder.id_number_sealed"


def seal_location(cipher: Cipher, unit_id: str, location: str) -> str:
    """Where a unit is tells where its owner lives."""
    return cipher.seal(location, (_LOCATION, unit_id))


def location_of(cipher: Cipher, unit: RegistryUnit) -> str:
    return cipher.open(unit.location_sealed, (_LOCATION, unit.id))


def seal_confirmations(cipher: Cipher, case_id: str, confirmations: Sequence[Mapping[str, Any]]) -> str:
    return cipher.seal_json(orjson.loads(orjson.dumps(list(confirmations))), (_CONFIRMATIONS, case_id))


def confirmations_of(cipher: Cipher, case: RegistryCase) -> list[dict[str, Any]]:
    """What each party confirmed, as the platform sent it."""
    return list(cipher.open_json(case.confirmations_sealed, (_CONFIRMATIONS, case.id)))


def seal_parties(cipher: Cipher, entry_id: str, parties: Sequence[Party]) -> str:
    return cipher.seal_json(parties_to(parties), (_PARTIES, entry_id))


def parties_of(cipher: Cipher, entry: RegistryCaseEntry) -> tuple[Party, ...]:
    return parties_from(cipher.open_json(entry.parties_sealed, (_PARTIES, entry.id)))


def seal_holder(cipher: Cipher, holder_id: str, party: Party) -> dict[str, Any]:
    """The sealed columns of a holder and the blind index of the ID number."""
    return {
        "name_sealed": cipher.seal(party.name, (_NAME, holder_id)),
        "id_number_sealed": cipher.seal(party.id_number, (_NUMBER, holder_id)),
        "id_number_blind": cipher.blind(party.id_number, purpose=ID_NUMBER_INDEX),
    }


def owner_of(cipher: Cipher, holder: RegistryHolder) -> Owner:
    return Owner(
        name=cipher.open(holder.name_sealed, (_NAME, holder.id)),
        id_kind=holder.id_kind,
        id_number=cipher.open(holder.id_number_sealed, (_NUMBER, holder.id)),
        share_numerator=holder.share_numerator,
        share_denominator=holder.share_denominator,
    )
