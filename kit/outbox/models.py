from enum import StrEnum

from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field


class RowState(StrEnum):
    """`parked` waits for staff; finished rows are no longer here but in the history."""

    PENDING = "pending"
    LEASED = "leased"
    PARKED = "parked"


class OutboxRow(models.Model):
    id = id_field()
    event_name = fields.CharField(max_length=64)
    event_version = fields.IntField(db_default=1)
    handler = fields.CharField(max_length=64)
    ordering_key = fields.CharField(max_length=64)
    payload = fields.TextField()
    state = code_field(db_default="pending")
    available_at = UtcDatetimeField()
    lease_token = fields.CharField(max_length=32, null=True)
    lease_until = UtcDatetimeField(null=True)
    attempts = fields.IntField(db_default=0)
    error = fields.CharField(max_length=255, null=True)
    request_id = fields.CharField(max_length=64, db_default="")
    created_at = UtcDatetimeField()

    class Meta:
        app = "kit"
        table = "kit_outbox"
        indexes = (("state", "available_at"), ("handler", "ordering_key", "id"))


class OutboxHistory(models.Model):
    id = id_field()
    event_name = fields.CharField(max_length=64)
    event_version = fields.IntField(db_default=1)
    handler = fields.CharField(max_length=64)
    ordering_key = fields.CharField(max_length=64)
    payload = fields.TextField()
    attempts = fields.IntField(db_default=0)
    request_id = fields.CharField(max_length=64, db_default="")
    created_at = UtcDatetimeField()
    finished_at = UtcDatetimeField(db_index=True)

    class Meta:
        app = "kit"
        table = "kit_outbox_history"
