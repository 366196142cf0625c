from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field


class Application(models.Model):
    """One district's application; `hold` names what must end before it may be withdrawn or expire."""

    id: str = id_field()
    district = code_field(max_length=6)
    mode = code_field()
    origin = code_field()
    business_type = code_field()
    catalogue_version = fields.IntField()
    requirements = fields.TextField()
    state = code_field()
    version = fields.IntField(default=1, db_default=1)
    hold = code_field(null=True)
    number = fields.CharField(max_length=40, null=True, unique=True)
    case_number = fields.CharField(max_length=50, null=True)
    price_fen = fields.BigIntField()
    sole_home_over_five_years = fields.BooleanField(default=False, db_default=False)
    opened_by = ref_field()
    expires_at = UtcDatetimeField(null=True)
    submitted_at = UtcDatetimeField(null=True)
    accepted_at = UtcDatetimeField(null=True)
    promised_on = fields.DateField(null=True)
    entered_at = UtcDatetimeField(null=True)
    certificate_id = fields.CharField(max_length=32, null=True)
    notice_sealed: str | None = fields.TextField(null=True)
    tax_declaration_no = fields.CharField(max_length=64, null=True, unique=True)
    tax_certificate_no = fields.CharField(max_length=64, null=True)
    tax_cleared_at = UtcDatetimeField(null=True)
    fee_order_id = fields.CharField(max_length=32, null=True)
    fee_amount_fen = fields.BigIntField(null=True)
    fee_paid_at = UtcDatetimeField(null=True)
    fee_transaction_id = fields.CharField(max_length=64, null=True)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "applications_application"
        indexes = (("state", "expires_at"),)


class ApplicationEntry(models.Model):
    """One registration of the application; the register's own words about the unit are sealed."""

    id: str = id_field()
    application: fields.ForeignKeyRelation["Application"] = fields.ForeignKeyField(
        "server.Application", related_name="entries", on_delete=fields.RESTRICT
    )
    application_id: str
    position = fields.IntField()
    business_type = code_field()
    registration_type = code_field()
    right_type = code_field()
    unit_code = code_field(db_index=True)
    certificate_number = fields.CharField(max_length=64)
    register_version = fields.IntField()
    unit_sealed = fields.TextField()

    class Meta:
        app = "server"
        table = "applications_entry"
        unique_together = (("application", "position"),)


class ApplicationParty(models.Model):
    """A person or an organisation, once in an application whatever its roles."""

    id: str = id_field()
    application: fields.ForeignKeyRelation["Application"] = fields.ForeignKeyField(
        "server.Application", related_name="parties", on_delete=fields.RESTRICT
    )
    application_id: str
    position = fields.IntField()
    kind = code_field()
    name_sealed = fields.TextField()
    id_kind = code_field()
    id_number_sealed = fields.TextField()
    id_number_blind = fields.CharField(max_length=64, db_index=True)
    phone_sealed = fields.TextField(null=True)
    registered_owner = fields.BooleanField(default=False, db_default=False)
    resident_id = ref_field(null=True)
    state = code_field()
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "applications_party"
        unique_together = (("application", "id_number_blind"), ("application", "position"))


class ApplicationRole(models.Model):
    """In what role, and with what share, a party takes part in an entry."""

    id: str = id_field()
    entry: fields.ForeignKeyRelation["ApplicationEntry"] = fields.ForeignKeyField(
        "server.ApplicationEntry", related_name="roles", on_delete=fields.RESTRICT
    )
    entry_id: str
    party: fields.ForeignKeyRelation["ApplicationParty"] = fields.ForeignKeyField(
        "server.ApplicationParty", related_name="roles", on_delete=fields.RESTRICT
    )
    party_id: str
    role = code_field()
    share_numerator = fields.BigIntField(null=True)
    share_denominator = fields.BigIntField(null=True)

    class Meta:
        app = "server"
        table = "applications_role"
        unique_together = (("entry", "party", "role"),)


class ApplicationMaterial(models.Model):
    """One file of a material; `party_key` is the party's id, or empty for a material of the whole application.

    A file of origin `shared` came from a department: `party_key` is whom it is about, `source` and `evidence_id` say
    where it is from, `uploaded_by` who asked for it.
    """

    id: str = id_field()
    application: fields.ForeignKeyRelation["Application"] = fields.ForeignKeyField(
        "server.Application", related_name="materials", on_delete=fields.RESTRICT
    )
    application_id: str
    code = code_field()
    party_key = fields.CharField(max_length=32, default="", db_default="")
    digest = fields.CharField(max_length=64)
    mime = fields.CharField(max_length=64)
    size = fields.BigIntField()
    uploaded_by = fields.CharField(max_length=32)
    origin = code_field(default="upload", db_default="upload")
    source = code_field(null=True)
    evidence_id = fields.CharField(max_length=32, null=True)
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "applications_material"
        unique_together = (("application", "code", "party_key", "digest"),)


class ApplicationConfirmation(models.Model):
    """A party's answers, and once confirmed exactly what was confirmed; going back to draft deletes it."""

    id: str = id_field()
    application: fields.ForeignKeyRelation["Application"] = fields.ForeignKeyField(
        "server.Application", related_name="confirmations", on_delete=fields.RESTRICT
    )
    application_id: str
    party: fields.OneToOneRelation["ApplicationParty"] = fields.OneToOneField(
        "server.ApplicationParty", related_name="confirmation", on_delete=fields.RESTRICT
    )
    party_id: str
    answers_sealed = fields.TextField()
    digest = fields.CharField(max_length=64)
    statement_sealed: str | None = fields.TextField(null=True)
    signature_sealed: bytes | None = fields.BinaryField(null=True)
    face_check_id = fields.CharField(max_length=32, null=True)
    confirmed_at = UtcDatetimeField(null=True)

    class Meta:
        app = "server"
        table = "applications_confirmation"


class ApplicationClaim(models.Model):
    """Who may dispose of a right for now: one row for each (unit, right), whoever holds it."""

    id: str = id_field()
    application: fields.ForeignKeyRelation["Application"] = fields.ForeignKeyField(
        "server.Application", related_name="claims", on_delete=fields.RESTRICT
    )
    application_id: str
    unit_code = code_field()
    right_code = code_field()
    expires_at = UtcDatetimeField()
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "applications_claim"
        unique_together = (("unit_code", "right_code"),)


class ApplicationTrack(models.Model):
    """Something that runs beside the others after acceptance."""

    id: str = id_field()
    application: fields.ForeignKeyRelation["Application"] = fields.ForeignKeyField(
        "server.Application", related_name="tracks", on_delete=fields.RESTRICT
    )
    application_id: str
    position = fields.IntField()
    code = code_field()
    name = fields.CharField(max_length=64)
    state = code_field()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "applications_track"
        unique_together = (("application", "code"),)


class ApplicationStep(models.Model):
    """What the parties see of the progress; `message_id` makes each message from outside count once.

    `note` is ours; what an officer wrote is sealed, since it may name somebody.
    """

    id: str = id_field()
    application: fields.ForeignKeyRelation["Application"] = fields.ForeignKeyField(
        "server.Application", related_name="steps", on_delete=fields.RESTRICT
    )
    application_id: str
    message_id = fields.CharField(max_length=64)
    code = code_field()
    name = fields.CharField(max_length=64)
    note = fields.CharField(max_length=255, default="", db_default="")
    note_sealed = fields.TextField(null=True)
    happened_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "applications_step"
        unique_together = (("application", "message_id"),)


class ApplicationTax(models.Model):
    """One tax of one side as the bureau assessed it, in fen."""

    id: str = id_field()
    application: fields.ForeignKeyRelation["Application"] = fields.ForeignKeyField(
        "server.Application", related_name="taxes", on_delete=fields.RESTRICT
    )
    application_id: str
    tax = code_field()
    payer = code_field()
    amount_fen = fields.BigIntField()

    class Meta:
        app = "server"
        table = "applications_tax"
        unique_together = (("application", "tax", "payer"),)
