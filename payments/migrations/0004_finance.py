from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_bills")]

    operations = [
        ops.AddField(
            model_name="Discrepancy",
            name="resolved_by",
            field=fields.CharField(null=True, db_index=True, max_length=32),
        ),
        ops.AddField(
            model_name="Discrepancy",
            name="note_sealed",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(model_name="Refund", name="paid_fen", field=fields.BigIntField(null=True)),
        ops.AddField(
            model_name="Refund",
            name="taken_at",
            field=UtcDatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
