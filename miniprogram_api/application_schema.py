"""How an application looks on the phone: masked, every coded value with its Chinese text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from kit.clock import rfc3339
from kit.web.validation import Answer
from miniprogram_api.shared_schema import Shared, SharedEvidence, SourceState, present_shared
from server.applications.records import ApplicationRecord, FileRecord, PartyRecord
from server.applications.requirements import MaterialLine
from server.applications.rules import filled_slots
from server.applications.states import TrackState
from server.sharing.queries import EvidenceLine
from server.terms.codes import IdKind, PartyRole
from server.terms.id_document import IdDocument
from server.terms.person_name import PersonName
from server.terms.share import Share

Side = Literal["seller", "buyer"]
MaterialState = Literal["missing", "uploaded", "shared", "generated", "elsewhere"]
ROLES: dict[Side, PartyRole] = {"seller": PartyRole.OBLIGOR, "buyer": PartyRole.RIGHT_HOLDER}
_SIDES = {role: side for side, role in ROLES.items()}
_TAXES = {"deed_tax": "契税", "vat": "增值税", "surcharge": "附加税费", "income_tax": "个人所得税"}
_PAYERS = {"seller": "卖方", "buyer": "买方"}


class ShareText(Answer):
    numerator: int
    denominator: int


class Party(Answer):
    id: str
    role: str
    role_text: str
    name_masked: str
    id_number_masked: str
    share: ShareText | None
    state: str
    state_text: str
    is_me: bool


class File(Answer):
    """A file's content never comes with it; `size` in bytes."""

    id: str
    code: str
    digest: str
    mime: str
    size: int


class Material(Answer):
    """One line of the material list; `party_id` where each party brings their own, `max_bytes` per file.

    `source` and what follows it where a department's data may take its place: `shared` once it does, and `files` are
    then what was uploaded beside it.
    """

    code: str
    name: str
    hint: str
    party_id: str | None
    required: bool
    form: str
    state: MaterialState
    accepted_mime: list[str]
    max_bytes: int
    max_files: int
    files: list[File]
    source: str | None
    source_text: str | None
    source_state: SourceState | None
    source_hint: str | None
    evidence: list[SharedEvidence]


class Track(Answer):
    code: str
    name: str
    state: str
    state_text: str


class Receipt(Answer):
    number: str
    submitted_at: str


class Fee(Answer):
    order_id: str
    amount_fen: int
    state: Literal["open", "settled"]
    state_text: str


class Tax(Answer):
    tax: str
    tax_text: str
    payer: str
    payer_text: str
    amount_fen: int


class Notice(Answer):
    """What the registry or a party said when the application was stopped."""

    items: list[str]
    deadline: str | None
    reason: str | None


class Application(Answer):
    id: str
    number: str | None
    district: str
    business_type: str
    business_type_text: str
    state: str
    state_text: str
    version: int
    price_fen: int
    sole_home_over_five_years: bool
    unit_code: str
    location: str
    certificate_number: str
    parties: list[Party]
    materials: list[Material]
    tracks: list[Track]
    receipt: Receipt | None
    case_number: str | None
    promised_on: str | None
    fee: Fee | None
    taxes: list[Tax]
    notice: Notice | None
    certificate_id: str | None
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class Sharing:
    """What departments were asked about an application, and what they are called."""

    asked: Sequence[EvidenceLine] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def present(record: ApplicationRecord, *, resident_id: str, sharing: Sharing) -> Application:
    """The application as this resident may see it."""
    unit = record.unit
    number, submitted_at = record.number, record.submitted_at
    receipt = Receipt(number=number, submitted_at=rfc3339(submitted_at)) if number and submitted_at else None
    return Application(
        id=record.id,
        number=number,
        district=record.district,
        business_type=record.requirements.business_type,
        business_type_text=record.requirements.name,
        state=record.state.value,
        state_text=record.state.text,
        version=record.version,
        price_fen=record.price_fen,
        sole_home_over_five_years=record.sole_home_over_five_years,
        unit_code=unit.unit_code,
        location=unit.location,
        certificate_number=unit.certificate_number,
        parties=[_party(record, party, resident_id) for party in record.parties],
        materials=_materials(record, resident_id, sharing),
        tracks=[
            Track(code=each.code, name=each.name, state=each.state, state_text=TrackState(each.state).text)
            for each in record.tracks
        ],
        receipt=receipt,
        case_number=record.case_number,
        promised_on=record.promised_on.isoformat() if record.promised_on else None,
        fee=_fee(record),
        taxes=_taxes(record),
        notice=_notice(record),
        certificate_id=record.certificate_id,
        expires_at=rfc3339(record.expires_at) if record.expires_at else None,
    )


def _party(record: ApplicationRecord, party: PartyRecord, resident_id: str) -> Party:
    return Party(
        id=party.id,
        role=_SIDES.get(party.role, party.role.value),
        role_text=record.requirements.role_name(party.role),
        name_masked=PersonName(party.name).masked(),
        id_number_masked=IdDocument(IdKind(party.id_kind), party.id_number).masked(),
        share=_share(party.share),
        state=party.state.value,
        state_text=party.state.text,
        is_me=party.resident_id == resident_id,
    )


def _share(share: Share | None) -> ShareText | None:
    return ShareText(numerator=share.numerator, denominator=share.denominator) if share else None


def _materials(record: ApplicationRecord, resident_id: str, sharing: Sharing) -> list[Material]:
    ids = [party.id for party in record.parties]
    shared = [(file.code, file.party_id, file.origin) for file in record.files if file.shared]
    filled = filled_slots(record.requirements, parties=ids, files=shared)
    found: list[Material] = []
    for line in record.requirements.materials:
        source = present_shared(record, line, resident_id=resident_id, asked=sharing.asked, names=sharing.names)
        slots: list[str | None] = [*ids] if line.per_party else [None]
        found += [_material(record, line, slot, source, shared=(line.code, slot) in filled) for slot in slots]
    return found


def _material(
    record: ApplicationRecord, line: MaterialLine, party_id: str | None, source: Shared | None, *, shared: bool
) -> Material:
    files = [
        present_file(file)
        for file in record.files
        if not file.shared and (file.code, file.party_id) == (line.code, party_id)
    ]
    state: MaterialState = "shared" if shared else "uploaded" if files else "missing"
    if line.form == "generated":
        state = "generated"
    elif line.form == "elsewhere":
        state = "elsewhere"
    return Material(
        code=line.code,
        name=line.name,
        hint=line.hint,
        party_id=party_id,
        required=line.required,
        form=line.form,
        state=state,
        accepted_mime=list(line.accepted_mime),
        max_bytes=line.max_bytes,
        max_files=line.max_files,
        files=files,
        source=source.source if source else None,
        source_text=source.source_text if source else None,
        source_state=source.source_state if source else None,
        source_hint=source.source_hint if source else None,
        evidence=source.evidence if source else [],
    )


def present_file(file: FileRecord) -> File:
    return File(id=file.id, code=file.code, digest=file.digest, mime=file.mime, size=file.size)


def _fee(record: ApplicationRecord) -> Fee | None:
    if record.fee_order_id is None or record.fee_amount_fen is None:
        return None
    settled = record.fee_paid_at is not None
    return Fee(
        order_id=record.fee_order_id,
        amount_fen=record.fee_amount_fen,
        state="settled" if settled else "open",
        state_text="已缴费" if settled else "待缴费",
    )


def _taxes(record: ApplicationRecord) -> list[Tax]:
    return [
        Tax(
            tax=each.tax,
            tax_text=_TAXES.get(each.tax, each.tax),
            payer=each.payer,
            payer_text=_PAYERS.get(each.payer, each.payer),
            amount_fen=each.amount_fen,
        )
        for each in record.taxes
    ]


def _notice(record: ApplicationRecord) -> Notice | None:
    notice = record.notice
    if notice is None:
        return None
    # A refusal by the registry has its ground and opinion, one by a party its reason.
    said = [notice[name] for name in ("reason", "ground", "opinion") if notice.get(name)]
    return Notice(
        items=notice.get("items", []), deadline=notice.get("deadline"), reason="；".join(said) if said else None
    )
