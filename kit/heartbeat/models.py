from tortoise import fields, models

from kit.db.fields import UtcDatetimeField


class Heartbeat(models.Model):
    name = fields.CharField(max_length=64, primary_key=True)
    at = UtcDatetimeField()

    class Meta:
        app = "kit"
        table = "kit_heartbeat"
