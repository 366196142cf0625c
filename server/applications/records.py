"""An application as plain values: what is proposed when it is opened, and what is read back, everything in clear."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from server.applications.requirements import Requirements
from server.applications.states import Origin, PartyState, State
from server.terms.codes import PartyRole
from server.terms.share import Share


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner as the register names them; `share` is None where it records none."""

    name: str
    id_kind: str
    id_number: str
    share: Share | None


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit as the register showed it; area in 0.01 m2, `version` that of the register."""

    unit_code: str
    certificate_number: str
    district: str
    location: str
    usage: str
    usage_text: str
    area_centiare: int | None
    held_since: date
    co_ownership: str
    encumbered: bool
    version: int
    owners: tuple[Owner, ...]

    def to_data(self) -> dict[str, Any]:
        """As plain data for sealing."""
        data = {name: getattr(self, name) for name in self.__slots__}
        data["held_since"] = self.held_since.isoformat()
        data["owners"] = [
            {
                "name": owner.name,
                "id_kind": owner.id_kind,
                "id_number": owner.id_number,
                "share": None if owner.share is None else [owner.share.numerator, owner.share.denominator],
            }
            for owner in self.owners
        ]
        return data

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        owners = tuple(
            Owner(each["name"], each["id_kind"], each["id_number"], Share(*each["share"]) if each["share"] else None)
            for each in data["owners"]
        )
        return cls(**{**data, "held_since": date.fromisoformat(data["held_since"]), "owners": owners})


@dataclass(frozen=True, slots=True)
class PartyDraft:
    """Somebody who shall take part; `id_number` is canonical, `resident_id` known once they have an account."""

    role: PartyRole
    name: str
    id_kind: str
    id_number: str
    share: Share | None = None
    phone: str | None = None
    kind: str = "person"
    resident_id: str | None = None


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """One registration asked for; its parties by their place in the application's list."""

    business_type: str
    registration_type: str
    right_type: str
    unit: Unit
    parties: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RoleRecord:
    entry_position: int
    role: PartyRole
    share: Share | None


@dataclass(frozen=True, slots=True)
class PartyRecord:
    """A party in clear; `roles` in the order of the entries."""

    id: str
    position: int
    kind: str
    name: str
    id_kind: str
    id_number: str
    phone: str | None
    registered_owner: bool
    resident_id: str | None
    state: PartyState
    roles: tuple[RoleRecord, ...]

    @property
    def role(self) -> PartyRole:
        return self.roles[0].role

    @property
    def share(self) -> Share | None:
        return self.roles[0].share


@dataclass(frozen=True, slots=True)
class EntryRecord:
    id: str
    position: int
    business_type: str
    registration_type: str
    right_type: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file of a material; `party_id` None when it belongs to the whole application.

    One of a department's (`shared`) is about the party `party_id`; only the party itself may read it.
    """

    id: str
    code: str
    party_id: str | None
    digest: str
    mime: str
    size: int
    origin: Origin = Origin.UPLOAD
    source: str | None = None
    evidence_id: str | None = None

    @property
    def shared(self) -> bool:
        return self.origin is Origin.SHARED


@dataclass(frozen=True, slots=True)
class ConfirmationRecord:
    """What a party confirmed; `statement` is the canonical content its digest is of."""

    party_id: str
    digest: str
    face_check_id: str
    confirmed_at: datetime
    statement: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrackRecord:
    code: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class TaxRecord:
    tax: str
    payer: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ApplicationRecord:
    """Everything about an application; `confirmations` are filled by `queries.full` only.

    `notice` is the registry's correction notice or refusal as it came.
    """

    id: str
    district: str
    mode: str
    origin: str
    state: State
    version: int
    requirements: Requirements
    price_fen: int
    sole_home_over_five_years: bool
    opened_by: str
    hold: str | None
    number: str | None
    case_number: str | None
    created_at: datetime
    expires_at: datetime | None
    submitted_at: datetime | None
    accepted_at: datetime | None
    promised_on: date | None
    entered_at: datetime | None
    certificate_id: str | None
    notice: dict[str, Any] | None
    tax_declaration_no: str | None
    tax_certificate_no: str | None
    tax_cleared_at: datetime | None
    fee_order_id: str | None
    fee_amount_fen: int | None
    fee_paid_at: datetime | None
    fee_transaction_id: str | None
    entries: tuple[EntryRecord, ...]
    parties: tuple[PartyRecord, ...]
    files: tuple[FileRecord, ...]
    tracks: tuple[TrackRecord, ...]
    taxes: tuple[TaxRecord, ...]
    confirmations: tuple[ConfirmationRecord, ...] = ()

    @property
    def unit(self) -> Unit:
        return self.entries[0].unit

    def party(self, party_id: str) -> PartyRecord | None:
        return next((party for party in self.parties if party.id == party_id), None)

    def party_of(self, resident_id: str) -> PartyRecord | None:
        return next((party for party in self.parties if party.resident_id == resident_id), None)
