from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, id_field


class Allowance(models.Model):
    """One thing that somebody had, and when last; the row without a `subject` is the one that takers queue at."""

    id = id_field()
    kind = fields.CharField(max_length=32)
    owner = fields.CharField(max_length=64)
    subject = fields.CharField(max_length=64)
    used_at = UtcDatetimeField(db_index=True)

    class Meta:
        app = "kit"
        table = "kit_allowance"
        unique_together = (("kind", "owner", "subject"),)
