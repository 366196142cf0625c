from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field


class RegistryUnit(models.Model):
    """A property unit (不动产单元) as surveyed; areas in 0.01 m2."""

    id = id_field()
    unit_code = fields.CharField(max_length=28, unique=True)
    district = fields.CharField(max_length=6, db_index=True)
    location_sealed = fields.TextField()
    usage = code_field()
    land_usage_text = fields.CharField(max_length=64, db_default="")
    land_nature = code_field()
    house_nature = code_field(db_default="")
    structure = code_field(db_default="")
    land_area = fields.BigIntField(null=True)
    land_area_shared = fields.BooleanField(db_default=False)
    building_area = fields.BigIntField(null=True)
    inner_area = fields.BigIntField(null=True)
    shared_area = fields.BigIntField(null=True)
    floors_total = fields.IntField(null=True)
    floor_text = fields.CharField(max_length=32, db_default="")
    completed_on = fields.DateField(null=True)
    term_text = fields.CharField(max_length=128, db_default="")
    version = fields.IntField(db_default=1)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "registry_unit"


class RegistryRight(models.Model):
    """A right on a unit; `current_of` is `<unit id>:<right type>` while it stands, so that one stands at a time."""

    id = id_field()
    unit: fields.ForeignKeyRelation[RegistryUnit] = fields.ForeignKeyField(
        "server.RegistryUnit", related_name="rights", on_delete=fields.RESTRICT
    )
    unit_id: str
    right_type = code_field()
    entry_kind = code_field()
    registration_type = code_field()
    co_ownership = code_field()
    state = code_field(db_default="current")
    current_of = fields.CharField(max_length=80, null=True, unique=True)
    price_fen = fields.BigIntField(null=True)
    held_since = fields.DateField()
    previous_id = fields.CharField(max_length=32, null=True)
    ended_at = UtcDatetimeField(null=True)
    version = fields.IntField(db_default=1)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "registry_right"


class RegistryHolder(models.Model):
    """A right holder; by shares each has a certificate of their own, else all have the same one."""

    id = id_field()
    right: fields.ForeignKeyRelation[RegistryRight] = fields.ForeignKeyField(
        "server.RegistryRight", related_name="holders", on_delete=fields.RESTRICT
    )
    right_id: str
    position = fields.IntField()
    holder_type = code_field()
    name_sealed = fields.TextField()
    id_kind = code_field()
    id_number_sealed = fields.TextField()
    id_number_blind = fields.CharField(max_length=64, db_index=True)
    share_numerator = fields.BigIntField(null=True)
    share_denominator = fields.BigIntField(null=True)
    certificate_id = ref_field(null=True)
    certificate_number = fields.CharField(max_length=64, db_default="", db_index=True)

    class Meta:
        app = "server"
        table = "registry_holder"
        unique_together = (("right_id", "position"),)


class RegistryCase(models.Model):
    """A case (办件): one application as the platform sent it, and how far the registry has come with it."""

    id = id_field()
    application_id = fields.CharField(max_length=32, unique=True)
    application_number = fields.CharField(max_length=64)
    case_number = fields.CharField(max_length=64, null=True, unique=True)
    district = fields.CharField(max_length=6)
    business_type = code_field()
    catalogue_version = fields.IntField()
    mode = code_field()
    origin = code_field()
    state = code_field()
    price_fen = fields.BigIntField(null=True)
    submitted_at = UtcDatetimeField()
    received_at = UtcDatetimeField()
    accepted_at = UtcDatetimeField(null=True)
    promised_on = fields.DateField(null=True)
    entered_at = UtcDatetimeField(null=True)
    confirmations_sealed = fields.TextField()
    version = fields.IntField(db_default=1)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "registry_case"
        indexes = (("district", "state", "id"),)


class RegistryCaseEntry(models.Model):
    """One registration the case asks for; all of a case are entered together."""

    id = id_field()
    case: fields.ForeignKeyRelation[RegistryCase] = fields.ForeignKeyField(
        "server.RegistryCase", related_name="entries", on_delete=fields.RESTRICT
    )
    case_id: str
    position = fields.IntField()
    business_type = code_field()
    entry_kind = code_field()
    registration_type = code_field()
    right_type = code_field()
    unit_code = fields.CharField(max_length=28, db_index=True)
    certificate_number = fields.CharField(max_length=64)
    register_version = fields.IntField(null=True)
    parties_sealed = fields.TextField()

    class Meta:
        app = "server"
        table = "registry_case_entry"
        unique_together = (("case_id", "position"),)


class RegistryTrack(models.Model):
    """What runs beside the others; `evidence_sealed` is what the platform sent to close it."""

    id = id_field()
    case: fields.ForeignKeyRelation[RegistryCase] = fields.ForeignKeyField(
        "server.RegistryCase", related_name="tracks", on_delete=fields.RESTRICT
    )
    case_id: str
    position = fields.IntField()
    code = code_field()
    name = fields.CharField(max_length=64)
    state = code_field(db_default="not_started")
    evidence_sealed = fields.TextField(null=True)
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "registry_track"
        unique_together = (("case_id", "code"),)


class RegistryDecision(models.Model):
    """What an officer decided; the opinion is sealed, since it may name somebody."""

    id = id_field()
    case: fields.ForeignKeyRelation[RegistryCase] = fields.ForeignKeyField(
        "server.RegistryCase", related_name="decisions", on_delete=fields.RESTRICT
    )
    case_id: str
    kind = code_field()
    result = code_field()
    content_sealed = fields.TextField()
    decided_by = ref_field()
    decided_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "registry_decision"


class RegistryMaterial(models.Model):
    """A file of the case, in the file scope `registry-<application id>` under its digest.

    `source` and what follows it: the department that shared it, in place of an upload.
    """

    id = id_field()
    case: fields.ForeignKeyRelation[RegistryCase] = fields.ForeignKeyField(
        "server.RegistryCase", related_name="materials", on_delete=fields.RESTRICT
    )
    case_id: str
    position = fields.IntField()
    code = code_field()
    name = fields.CharField(max_length=128)
    party_position = fields.IntField(null=True)
    digest = fields.CharField(max_length=64)
    mime = fields.CharField(max_length=64)
    size = fields.BigIntField()
    source = code_field(null=True)
    source_text = fields.CharField(max_length=255, null=True)
    purpose = fields.CharField(max_length=255, null=True)
    legal_basis = fields.CharField(max_length=255, null=True)

    class Meta:
        app = "server"
        table = "registry_material"


class RegistryClaim(models.Model):
    """The accepted case that alone may change this right of this unit; gone once the case has ended."""

    id = id_field()
    unit_code = fields.CharField(max_length=28)
    right_type = code_field()
    case: fields.ForeignKeyRelation[RegistryCase] = fields.ForeignKeyField(
        "server.RegistryCase", related_name="claims", on_delete=fields.RESTRICT
    )
    case_id: str
    taken_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "registry_claim"
        unique_together = (("unit_code", "right_type"),)


class RegistryRegisterEntry(models.Model):
    """One line of the register (登簿): which right ended, which began, who entered it and when."""

    id = id_field()
    case: fields.ForeignKeyRelation[RegistryCase] = fields.ForeignKeyField(
        "server.RegistryCase", related_name="register_entries", on_delete=fields.RESTRICT
    )
    case_id: str
    position = fields.IntField()
    case_number = fields.CharField(max_length=64)
    unit_code = fields.CharField(max_length=28, db_index=True)
    registration_type = code_field()
    rec_type = fields.CharField(max_length=16)
    old_right_id = fields.CharField(max_length=32, null=True)
    new_right_id = fields.CharField(max_length=32)
    entered_by = ref_field()
    entered_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "registry_register_entry"
        unique_together = (("case_id", "position"),)


class RegistryMessage(models.Model):
    """What is to be told to the platform; `subject` names what it tells of, so that it is told once."""

    id = id_field()
    kind = code_field()
    subject = fields.CharField(max_length=96)
    application_id = fields.CharField(max_length=32, db_default="")
    body_sealed = fields.TextField()
    state = code_field(db_default="queued")
    created_at = UtcDatetimeField()
    sent_at = UtcDatetimeField(null=True)

    class Meta:
        app = "server"
        table = "registry_message"
        unique_together = (("kind", "subject"),)


class RegistryQueryNonce(models.Model):
    """The nonce of an answered register query: the same signed query is never answered twice."""

    nonce = fields.CharField(max_length=64, primary_key=True)
    seen_at = UtcDatetimeField(db_index=True)

    class Meta:
        app = "server"
        table = "registry_query_nonce"
