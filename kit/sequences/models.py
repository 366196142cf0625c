from tortoise import fields, models

from kit.db.fields import id_field


class SequenceCounter(models.Model):
    """The last number given out."""

    id = id_field()
    kind = fields.CharField(max_length=32)
    district = fields.CharField(max_length=32)
    period = fields.CharField(max_length=16)
    value = fields.BigIntField(db_default=0)

    class Meta:
        app = "kit"
        table = "kit_sequence"
        unique_together = (("kind", "district", "period"),)
