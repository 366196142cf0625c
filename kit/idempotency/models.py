from enum import StrEnum

from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field


class KeyState(StrEnum):
    """`running` is a claim made before a command that must call outside."""

    RUNNING = "running"
    DONE = "done"


class IdempotencyKey(models.Model):
    id = id_field()
    who = fields.CharField(max_length=64)
    route = fields.CharField(max_length=128)
    request_key = fields.CharField(max_length=64)
    body_digest = fields.CharField(max_length=64)
    state = code_field(db_default="done")
    result_id = fields.CharField(max_length=64, null=True)
    status = fields.IntField(null=True)
    created_at = UtcDatetimeField(db_index=True)

    class Meta:
        app = "kit"
        table = "kit_idempotency_key"
        unique_together = (("who", "route", "request_key"),)
