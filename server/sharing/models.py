from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field


class SharingEvidence(models.Model):
    """What a department last answered about one party of an application; what it has found is never asked again.

    `content_sealed` is the canonical document (`server.terms.evidence`) and `digest` its SHA-256, both only when found;
    `subject_blind` is the blind index of the ID number it is about.
    """

    id = id_field()
    application_id = ref_field()
    party_id = ref_field()
    subject_blind = fields.CharField(max_length=64)
    source = code_field()
    kind = code_field()
    purpose = fields.CharField(max_length=255)
    legal_basis = fields.CharField(max_length=255)
    request_no = fields.CharField(max_length=32)
    asked_at = UtcDatetimeField()
    answered_at = UtcDatetimeField(null=True)
    result = code_field()
    content_sealed: str | None = fields.TextField(null=True)
    digest = fields.CharField(max_length=64, null=True)
    format_version = fields.IntField(db_default=1)

    class Meta:
        app = "server"
        table = "sharing_evidence"
        unique_together = (("application_id", "party_id", "source"),)


class SharingCall(models.Model):
    """One question to a department: who asked, about whom (blind), with what right, what came of it, how long it took.

    Rows are only added. Inter-department calls are to be on record for a year at least; nothing here removes any.
    """

    id = id_field()
    application_id = ref_field()
    asked_by = ref_field()
    subject_blind = fields.CharField(max_length=64, db_index=True)
    source = code_field()
    purpose = fields.CharField(max_length=255)
    legal_basis = fields.CharField(max_length=255)
    request_no = fields.CharField(max_length=32, unique=True)
    result = code_field()
    error = fields.CharField(max_length=64, db_default="")
    milliseconds = fields.IntField()
    called_at = UtcDatetimeField(db_index=True)

    class Meta:
        app = "server"
        table = "sharing_call"
