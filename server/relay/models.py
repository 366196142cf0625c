from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field


class RelayMessage(models.Model):
    """A message on its way up; `dedupe_key` says what it tells, so that it is told once and under one id."""

    id = id_field()
    kind = code_field()
    application_id = ref_field()
    dedupe_key = fields.CharField(max_length=128, unique=True)
    body_sealed = fields.TextField()
    state = code_field(db_default="queued")
    created_at = UtcDatetimeField()
    sent_at = UtcDatetimeField(null=True)

    class Meta:
        app = "server"
        table = "relay_message"
