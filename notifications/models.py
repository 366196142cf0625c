from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field
from notifications.rules import DeliveryState

PARAMS_AT = "notifications_message.params_sealed"
"""What a message's sealed params are bound to, with its row's id."""


class MessageTemplate(models.Model):
    """One version of the words of a message; it never changes, so that old messages read as they did."""

    id = id_field()
    code = code_field()
    district = fields.CharField(max_length=6, default="", db_default="")
    version = fields.IntField()
    effective_from = UtcDatetimeField()
    content = fields.TextField()
    saved_by = fields.CharField(max_length=32)
    created_at = UtcDatetimeField()

    class Meta:
        app = "notifications"
        table = "notifications_template"
        unique_together = (("code", "version"),)


class Message(models.Model):
    """One thing that one person was told; what was said of whom is sealed. It reads as its template's version says."""

    id = id_field()
    recipient = ref_field(db_index=False)
    template = code_field()
    template_version = fields.IntField(default=1, db_default=1)
    params_sealed = fields.TextField()
    dedupe_key = fields.CharField(max_length=191, unique=True)
    created_at = UtcDatetimeField()
    read_at = UtcDatetimeField(null=True)

    class Meta:
        app = "notifications"
        table = "notifications_message"
        indexes = (("recipient", "id"),)


class Delivery(models.Model):
    """A message by one channel. `consent_spent` is written before sending: a repetition spends no second one."""

    id = id_field()
    message: fields.ForeignKeyRelation[Message] = fields.ForeignKeyField(
        "notifications.Message", related_name="deliveries", on_delete=fields.RESTRICT
    )
    message_id: str
    channel = code_field()
    state = code_field(default=DeliveryState.QUEUED.value, db_default=DeliveryState.QUEUED.value)
    consent_spent = fields.BooleanField(default=False, db_default=False)
    receipt = fields.CharField(max_length=128, null=True)
    receipt_checks = fields.IntField(default=0, db_default=0)
    reason = fields.CharField(max_length=64, null=True)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "notifications"
        table = "notifications_delivery"
        unique_together = (("message", "channel"),)


class Consent(models.Model):
    """How many messages of a template a person has agreed to receive and has not received yet; or all, for good."""

    id = id_field()
    recipient = ref_field(db_index=False)
    template = code_field()
    channel = code_field()
    remaining = fields.IntField(default=0, db_default=0)
    standing = fields.BooleanField(default=False, db_default=False)
    updated_at = UtcDatetimeField()

    class Meta:
        app = "notifications"
        table = "notifications_consent"
        unique_together = (("recipient", "template", "channel"),)
