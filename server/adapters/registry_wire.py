"""What travels between platform and registry: one schema, used at both ends, versioned, unknown fields refused.

Moments are RFC 3339, amounts fen, areas 0.01 m2. A change that an older reader would misread raises VERSION.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    model_serializer,
)

from kit.errors import Permanent
from server.terms.messages import DownMessage, UpMessage

VERSION = 1

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
IdOrNone = Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,32}$")]
District = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
Text = Annotated[str, Field(min_length=1, max_length=255)]
LongText = Annotated[str, Field(max_length=4000)]
Fen = Annotated[int, Field(ge=0)]
Part = Annotated[int, Field(ge=1)] | None


class WireError(Permanent):
    """Bytes that are no message of this schema; the text names fields, never values."""


class Wire(BaseModel):
    """What every part of the schema is: closed, strict, and silent about its values."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class _Party(Wire):
    role: Code
    kind: Literal["person", "organisation"]
    name: Text
    id_kind: Code
    id_number: Annotated[str, Field(min_length=1, max_length=32)]
    phone: Annotated[str, Field(max_length=20)]
    share_numerator: Part
    share_denominator: Part


class _Entry(Wire):
    position: int
    business_type: Code
    registration_type: Code
    right_type: Code
    unit_code: Annotated[str, Field(min_length=28, max_length=28)]
    certificate_number: Text
    register_version: int | None
    parties: Annotated[list[_Party], Field(min_length=1, max_length=50)]


class _Material(Wire):
    code: Code
    party_position: int | None
    digest: Digest
    mime: Annotated[str, Field(max_length=64)]
    size: Annotated[int, Field(ge=0)]
    # Only of what a department shared: where it is from, and with what right.
    source: Code | None = None
    source_text: Text | None = None
    purpose: Text | None = None
    legal_basis: Text | None = None

    @model_serializer(mode="wrap")
    def _as_sent(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """An upload has no source, and its line says none: a registry that knows no sources reads it too."""
        written: dict[str, Any] = write(self)
        return {name: value for name, value in written.items() if value is not None or name == "party_position"}


class _Confirmation(Wire):
    party_position: int
    digest: Digest
    confirmed_at: AwareDatetime
    face_check_id: str
    statement: dict[str, Any]


class CasePackage(Wire):
    """Everything an officer needs to decide; the files are put before it."""

    application_id: Id
    number: Annotated[str, Field(min_length=1, max_length=64)]
    district: District
    mode: Code
    origin: Code
    catalogue_version: int
    submitted_at: AwareDatetime
    price_fen: Fen | None
    entries: Annotated[list[_Entry], Field(min_length=1, max_length=20)]
    materials: Annotated[list[_Material], Field(max_length=500)]
    confirmations: Annotated[list[_Confirmation], Field(max_length=50)]


class _Tax(Wire):
    tax: Code
    payer: Code
    amount_fen: Fen


class EvidenceTax(Wire):
    application_id: Id
    declaration_no: Text
    certificate_no: Text
    cleared_at: AwareDatetime
    taxes: list[_Tax]


class EvidenceFee(Wire):
    application_id: Id
    order_id: Text
    amount_fen: Fen
    paid_at: AwareDatetime
    transaction_id: Annotated[str, Field(max_length=64)]


class Withdrawal(Wire):
    application_id: Id
    withdrawn_at: AwareDatetime
    reason: LongText = ""


class Paper(Wire):
    """Where a certificate's paper went (发证); `recalled` are void certificates whose papers came back for it."""

    application_id: IdOrNone
    certificate_id: Id
    number: Text
    way: Literal["posted", "handed_over", "kept", "lost"]
    happened_at: AwareDatetime
    noted_at: AwareDatetime
    carrier: Code | None
    waybill: Annotated[str, Field(max_length=32)] | None
    signed_by: Code | None
    recalled: Annotated[list[Id], Field(max_length=50)]


class _ListedMaterial(Wire):
    code: Code
    name: Text
    copies: int


class Acceptance(Wire):
    """The acceptance voucher (受理凭证)."""

    application_id: Id
    case_number: Text
    accepted_at: AwareDatetime
    promised_on: date
    business_name: Text
    locations: list[str]
    materials: list[_ListedMaterial]
    officer_no: Text


class CorrectionNotice(Wire):
    application_id: Id
    items: Annotated[list[LongText], Field(min_length=1)]
    deadline: date
    asked_at: AwareDatetime


class Refusal(Wire):
    """`stage` acceptance is 不予受理, registration 不予登记."""

    application_id: Id
    stage: Literal["acceptance", "registration"]
    ground: LongText
    opinion: LongText
    refused_at: AwareDatetime


class Step(Wire):
    application_id: Id
    track: Code
    state: Code
    at: AwareDatetime


class Notice(Wire):
    """An officer's own words on how a case stands, for its parties."""

    application_id: Id
    text: Annotated[str, Field(min_length=1, max_length=100)]
    pushed_at: AwareDatetime


class Entered(Wire):
    application_id: Id
    entered_at: AwareDatetime


class _Holder(Wire):
    name: Text
    id_kind: Code
    id_number: Annotated[str, Field(min_length=1, max_length=32)]
    share_numerator: Part
    share_denominator: Part


class Certificate(Wire):
    application_id: IdOrNone
    certificate_id: Id
    number: Text
    kind: Code
    unit_code: Annotated[str, Field(min_length=28, max_length=28)]
    district: District
    location: Text
    registered_on: date
    state: Code
    holders: Annotated[list[_Holder], Field(min_length=1)]
    co_ownership: Code
    paper_state: Code
    credential: Annotated[str, Field(pattern=r"^[A-Z2-7]{1,500}$")]
    pdf_base64: str
    pdf_digest: Digest


class StatusChange(Wire):
    certificate_id: Id
    number: Text
    state: Code
    changed_at: AwareDatetime
    superseded_by: Id | None
    paper_state: Code


_UP: Mapping[str, type[Wire]] = {
    "case_package": CasePackage,
    "correction": CasePackage,
    "evidence_tax": EvidenceTax,
    "evidence_fee": EvidenceFee,
    "withdrawal": Withdrawal,
    "paper": Paper,
}
_DOWN: Mapping[str, type[Wire]] = {
    "acceptance": Acceptance,
    "correction_notice": CorrectionNotice,
    "refusal": Refusal,
    "step": Step,
    "notice": Notice,
    "entered": Entered,
    "certificate": Certificate,
    "status_change": StatusChange,
}


class _Envelope(Wire):
    version: Literal[1]
    id: Id
    kind: Code
    application_id: IdOrNone
    sent_at: AwareDatetime
    body: dict[str, Any]


class RegistryWire:
    """Implements the codecs of both sides."""

    def decode_up(self, raw: bytes) -> UpMessage:
        envelope = _open(raw, _UP)
        return UpMessage(envelope.id, envelope.kind, envelope.application_id, envelope.sent_at, _body(envelope, _UP))

    def decode_down(self, raw: bytes) -> DownMessage:
        envelope = _open(raw, _DOWN)
        return DownMessage(
            envelope.id, envelope.kind, envelope.application_id, envelope.sent_at, _body(envelope, _DOWN)
        )


def encode_up(message: UpMessage) -> bytes:
    """Raises WireError for a body that is not of its kind: it must not leave the house."""
    return _write(message, _UP)


def encode_down(message: DownMessage) -> bytes:
    """Raises WireError for a body that is not of its kind."""
    return _write(message, _DOWN)


def _write(message: UpMessage | DownMessage, kinds: Mapping[str, type[Wire]]) -> bytes:
    raw = orjson.dumps(
        {
            "version": VERSION,
            "id": message.id,
            "kind": message.kind,
            "application_id": message.application_id,
            "sent_at": message.sent_at,
            "body": dict(message.body),
        }
    )
    _body(_open(raw, kinds), kinds)
    return raw


def _open(raw: bytes, kinds: Mapping[str, type[Wire]]) -> _Envelope:
    envelope: _Envelope = read_as(_Envelope, raw)
    if envelope.kind not in kinds:
        raise WireError(f"unknown kind of message {envelope.kind}")
    return envelope


def _body(envelope: _Envelope, kinds: Mapping[str, type[Wire]]) -> dict[str, Any]:
    model = read_as(kinds[envelope.kind], orjson.dumps(envelope.body))
    body: dict[str, Any] = model.model_dump(mode="json")
    if body.get("application_id", envelope.application_id) != envelope.application_id:
        raise WireError(f"the {envelope.kind} is about another application than its envelope")
    return body


def read_as(model: type[Any], raw: bytes) -> Any:
    """`raw` as one of `model`; raises WireError."""
    try:
        return TypeAdapter(model).validate_json(raw)
    except ValidationError as error:
        places = {".".join(str(part) for part in detail["loc"][:4]) for detail in error.errors(include_input=False)}
        fault = f"not a {model.__name__.strip('_')}: {', '.join(sorted(places)[:5])}"
    raise WireError(fault)


def peek(raw: bytes, *, up: bool) -> tuple[str, str]:
    """The id and the application of a message, the whole of it checked; raises WireError."""
    wire = RegistryWire()
    message = wire.decode_up(raw) if up else wire.decode_down(raw)
    return message.id, message.application_id
