from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_storing_bills")]

    operations = [
        ops.AddField(
            model_name="Refund",
            name="decided_by",
            field=fields.CharField(null=True, db_index=True, max_length=32),
        ),
        ops.AddField(
            model_name="Refund",
            name="decided_at",
            field=UtcDatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
