from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field


class InboxMessage(models.Model):
    id = id_field()
    system = code_field()
    external_id = fields.CharField(max_length=128)
    body_sealed = fields.BinaryField()
    received_at = UtcDatetimeField()

    class Meta:
        app = "kit"
        table = "kit_inbox"
        unique_together = (("system", "external_id"),)
