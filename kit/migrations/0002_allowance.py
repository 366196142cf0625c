from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    dependencies = [("kit", "0001_initial")]

    operations = [
        ops.CreateModel(
            name="Allowance",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("kind", fields.CharField(max_length=32)),
                ("owner", fields.CharField(max_length=64)),
                ("subject", fields.CharField(max_length=64)),
                ("used_at", UtcDatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "kit_allowance",
                "app": "kit",
                "unique_together": (("kind", "owner", "subject"),),
                "pk_attr": "id",
                "table_description": "One thing that somebody had, and when last; the row without a `subject` is the one that takers queue at.",
            },
            bases=["Model"],
        ),
    ]
