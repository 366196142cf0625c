from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field


class CertificateIssued(models.Model):
    """A certificate on the registry side; it has no file (`pdf_digest`) between its number and its making."""

    id = id_field()
    case_id = fields.CharField(max_length=64)
    position = fields.IntField()
    application_id = fields.CharField(max_length=32, db_default="")
    right_id = ref_field()
    number = fields.CharField(max_length=64, unique=True)
    kind = code_field()
    state = code_field(db_default="valid")
    paper_state = code_field(db_default="not_printed")
    district = fields.CharField(max_length=6)
    unit_code = fields.CharField(max_length=28, db_index=True)
    location_sealed = fields.TextField()
    co_ownership = code_field()
    registered_on = fields.DateField()
    holders_sealed = fields.TextField()
    credential = fields.CharField(max_length=512, null=True)
    pdf_digest = fields.CharField(max_length=64, null=True)
    pdf_size = fields.BigIntField(null=True)
    issued_at = UtcDatetimeField(null=True)
    superseded_by = fields.CharField(max_length=32, null=True)
    changed_at = UtcDatetimeField(null=True)
    version = fields.IntField(db_default=1)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "certificates_issued"
        unique_together = (("case_id", "position"),)


class CertificatePaperMove(models.Model):
    """Where the paper of a certificate went (发证记录), as the platform told it. Rows are only added."""

    id = id_field()
    certificate_id = ref_field()
    message_id = fields.CharField(max_length=32, unique=True)
    way = code_field()
    happened_at = UtcDatetimeField()
    noted_at = UtcDatetimeField()
    carrier = code_field(null=True)
    waybill = fields.CharField(max_length=32, null=True)
    signed_by = code_field(null=True)
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "certificates_paper_move"


class CertificateCopy(models.Model):
    """A certificate on the platform side; its id is the certificate's."""

    id = id_field()
    application_id = fields.CharField(max_length=32, db_default="", db_index=True)
    number = fields.CharField(max_length=64, unique=True)
    kind = code_field()
    state = code_field()
    paper_state = code_field(db_default="not_printed")
    district = fields.CharField(max_length=6)
    unit_code = fields.CharField(max_length=28)
    location_sealed = fields.TextField()
    co_ownership = code_field()
    registered_on = fields.DateField()
    credential = fields.CharField(max_length=512)
    pdf_digest = fields.CharField(max_length=64)
    pdf_size = fields.BigIntField()
    superseded_by = fields.CharField(max_length=32, null=True)
    changed_at = UtcDatetimeField(null=True)
    version = fields.IntField(db_default=1)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "certificates_copy"


class CertificateCopyHolder(models.Model):
    id = id_field()
    copy: fields.ForeignKeyRelation[CertificateCopy] = fields.ForeignKeyField(
        "server.CertificateCopy", related_name="holders", on_delete=fields.RESTRICT
    )
    copy_id: str
    position = fields.IntField()
    name_sealed = fields.TextField()
    id_kind = code_field()
    id_number_sealed = fields.TextField()
    id_number_blind = fields.CharField(max_length=64, db_index=True)
    share_numerator = fields.BigIntField(null=True)
    share_denominator = fields.BigIntField(null=True)

    class Meta:
        app = "server"
        table = "certificates_copy_holder"
        unique_together = (("copy_id", "position"),)
