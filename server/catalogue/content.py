"""What a city configures: one business type per version, and the tables beside it, as frozen values."""

from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum

from server.catalogue.expressions import Condition, Fact
from server.terms.codes import PartyRole, RegistrationType, RightType


class ApplyMode(StrEnum):
    JOINT = "joint"
    SINGLE = "single"


class Output(StrEnum):
    """What the registry makes at the end of an entry."""

    TITLE_CERTIFICATE = "title_certificate"
    REGISTRATION_PROOF = "registration_proof"
    NONE = "none"


class FeeDue(StrEnum):
    """The milestone at which the registration fee falls due."""

    ACCEPTANCE = "acceptance"
    REVIEW_PASSED = "review_passed"
    BEFORE_CERTIFICATE = "before_certificate"


class Gate(StrEnum):
    """What an open track holds up; whatever holds up the entry also holds up what comes after it."""

    ENTRY = "entry"
    CERTIFICATE = "certificate"
    HANDOVER = "handover"
    NOTHING = "nothing"


class TrackState(StrEnum):
    """Where a track that runs beside the others stands; `waived` counts as done."""

    NOT_STARTED = "not_started"
    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"
    FAILED = "failed"


class MaterialForm(StrEnum):
    """How a material comes to the case."""

    ORIGINAL_SCAN = "original_scan"  # the party uploads a colour scan or photo of the original
    COPY_SCAN = "copy_scan"  # the party uploads a scan of a copy
    GENERATED = "generated"  # we write it and the parties sign it
    EXTERNAL = "external"  # a track or a department brings it, nobody uploads it

    @property
    def uploaded(self) -> bool:
        return self in {MaterialForm.ORIGINAL_SCAN, MaterialForm.COPY_SCAN}


class MaterialPer(StrEnum):
    """Whether one is needed for the whole application or one for each party."""

    APPLICATION = "application"
    PARTY = "party"


class Effect(StrEnum):
    """What an entry already there does to one that comes in on the same unit."""

    REFUSE = "refuse"
    QUEUE = "queue"
    ALLOW = "allow"


class Standing(StrEnum):
    """Whether the entry already there is a case still running or stands in the register."""

    RUNNING = "running"
    REGISTERED = "registered"


class PropertyUse(StrEnum):
    """The use classes the fee table tells apart; garages, parking lots and storerooms are `parking`."""

    RESIDENTIAL = "residential"
    PARKING = "parking"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What the conditions of materials and questions may ask about an application; nothing personal."""

    agent: bool = False
    minor: bool = False
    minor_disposes: bool = False  # property of a minor is disposed of
    organisation: bool = False
    seller_organisation: bool = False
    co_owned: bool = False  # the sellers own it together
    bought_together: bool = False  # the buyers will own it together
    by_shares: bool = False
    family_count: bool = False  # the buyer's tax depends on how many homes the family has
    mortgaged: bool = False
    transfer_restricted: bool = False  # the mortgage forbids or restricts transfer
    carried_mortgage: bool = False  # sold with the mortgage (带押过户)
    reissue: bool = False
    parties: int = 2


@dataclass(frozen=True, slots=True)
class FeeCase:
    """What the registration fee depends on; `items` is the number of 件, `certificates` those to be printed."""

    registration_type: RegistrationType
    property_use: PropertyUse
    certificates: int = 1
    items: int = 1
    small_micro_payer: bool = False
    policy_housing: bool = False  # low-rent, public rental, affordable, resettlement of shanty towns
    agricultural: bool = False  # contracted land, forest, farmland, and mortgages or easements on them
    poverty_relocation: bool = False
    administrative_renaming: bool = False
    collective_reform: bool = False
    registry_error: bool = False
    homestead: bool = False
    between_spouses: bool = False
    reissue: bool = False
    half_by_statute: bool = False
    own_certificate: bool = True  # a parking lot with a certificate or proof of its own


def facts_of(case: CaseFacts | FeeCase) -> dict[str, Fact]:
    """The facts by name, as conditions read them."""
    return {field.name: getattr(case, field.name) for field in fields(case)}


_FACT_KINDS: dict[object, type[Fact]] = {bool: bool, int: int}


def fact_types(kind: type[CaseFacts] | type[FeeCase]) -> dict[str, type[Fact]]:
    """The names conditions may use, with their types; our enums count as text."""
    return {field.name: _FACT_KINDS.get(field.type, str) for field in fields(kind)}


@dataclass(frozen=True, slots=True)
class Choice:
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Who takes part: between `least` and `most` parties in this role, called `name` in this business."""

    role: PartyRole
    name: str
    least: int
    most: int
    organisations: bool
    confirms: bool


@dataclass(frozen=True, slots=True)
class Material:
    """One line of the material list; `max_mb` in MiB per file, `source_code` the department that can share it."""

    code: str
    name: str
    required: Condition
    form: MaterialForm
    per: MaterialPer
    copies: int
    accepted_mime: tuple[str, ...]
    max_mb: int
    max_files: int
    provider: str
    source_code: str | None
    needs_original_check: bool
    hint: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the inquiry record; any answer but `expected` (when given) needs an officer's look."""

    code: str
    text: str
    asked: tuple[PartyRole, ...]
    applies: Condition
    choices: tuple[Choice, ...]
    expected: str | None


@dataclass(frozen=True, slots=True)
class Commitment:
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Track:
    """Something that runs beside the others after acceptance and holds up `blocks` until it is done.

    `blocked_code` is the stable code an attempt to pass the gate is refused with.
    """

    code: str
    name: str
    blocks: Gate
    blocked_code: str
    blocked_text: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the workflow: `name` for officers, `resident_text` for the progress page."""

    code: str
    name: str
    resident_text: str


@dataclass(frozen=True, slots=True)
class OpinionTemplate:
    """A ready opinion for an officer at `step` with the given `result`."""

    code: str
    step: str
    result: str
    text: str


OPINION_RESULTS = {
    "acceptance": frozenset({"accept", "correct", "refuse"}),
    "review": frozenset({"pass", "reject"}),
}
"""By step, what an officer can decide there in words of their own."""


@dataclass(frozen=True, slots=True)
class BusinessType:
    """One version of a resident-facing business, in force from `effective_from` until before `effective_to`."""

    code: str
    version: int
    effective_from: date
    effective_to: date | None
    name: str
    summary: str
    registration_type: RegistrationType
    right_type: RightType
    entry_kind: str
    rec_type: str
    apply_mode: ApplyMode
    output: Output
    supersedes_certificate: bool
    roles: tuple[RoleRule, ...]
    materials: tuple[Material, ...]
    questions: tuple[Question, ...]
    commitment: Commitment
    tracks: tuple[Track, ...]
    steps: tuple[Step, ...]
    fee_due: FeeDue
    time_limit_working_days: int
    confirmation_hours: int
    correction_days: int
    claim_days: int
    opinions: tuple[OpinionTemplate, ...]

    def material(self, code: str) -> Material | None:
        return next((material for material in self.materials if material.code == code), None)

    def role(self, role: PartyRole) -> RoleRule | None:
        return next((rule for rule in self.roles if rule.role == role), None)

    def track(self, code: str) -> Track | None:
        return next((track for track in self.tracks if track.code == code), None)


@dataclass(frozen=True, slots=True)
class FeeRule:
    """One line of the fee table; amounts in fen. No `districts` means every district."""

    id: str
    name: str
    when: Condition
    base_fen: int
    first_certificate_fen: int
    extra_certificate_fen: int
    source: str
    effective_from: date
    effective_to: date | None
    districts: frozenset[str]


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """The fee rules in order: the first that applies decides."""

    rules: tuple[FeeRule, ...]


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One line of an order; amounts in fen."""

    code: str
    name: str
    quantity: int
    unit_fen: int

    @property
    def amount_fen(self) -> int:
        return self.quantity * self.unit_fen


@dataclass(frozen=True, slots=True)
class FeeLines:
    """What is charged and the rule that said so; no lines when nothing is charged."""

    rule_id: str
    rule_name: str
    source: str
    lines: tuple[FeeLine, ...]

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """`existing` and `incoming` are entry kinds or `*`; `stops_existing` puts the running case on hold."""

    standing: Standing
    existing: str
    incoming: str
    effect: Effect
    stops_existing: bool
    reason: str

    def matches(self, *, standing: Standing, existing: str, incoming: str) -> bool:
        return self.standing is standing and self.existing in {existing, "*"} and self.incoming in {incoming, "*"}


@dataclass(frozen=True, slots=True)
class ConflictTable:
    """The entry kinds there are, and the rows in order: the first that matches decides."""

    kinds: frozenset[str]
    rows: tuple[ConflictRow, ...]


@dataclass(frozen=True, slots=True)
class DictionaryEntry:
    """Our `code`, its Chinese `text` and the national code; no `region` means everywhere."""

    code: str
    text: str
    national: str
    region: str | None
    effective_from: date
    effective_to: date | None


@dataclass(frozen=True, slots=True)
class Dictionary:
    name: str
    title: str
    entries: tuple[DictionaryEntry, ...]
