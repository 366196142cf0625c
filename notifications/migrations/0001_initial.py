from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Consent",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("recipient", fields.CharField(max_length=32)),
                ("template", fields.CharField(max_length=32)),
                ("channel", fields.CharField(max_length=32)),
                ("remaining", fields.IntField(default=0, db_default=0)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notifications_consent",
                "app": "notifications",
                "unique_together": (("recipient", "template", "channel"),),
                "pk_attr": "id",
                "table_description": "How many messages of a template a person has agreed to receive and has not received yet.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Message",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("recipient", fields.CharField(max_length=32)),
                ("template", fields.CharField(max_length=32)),
                ("params_sealed", fields.TextField(unique=False)),
                ("dedupe_key", fields.CharField(unique=True, max_length=191)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("read_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notifications_message",
                "app": "notifications",
                "indexes": [Index(fields=["recipient", "id"])],
                "pk_attr": "id",
                "table_description": "One thing that one person was told; what was said of whom is sealed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Delivery",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "message",
                    fields.ForeignKeyField(
                        "notifications.Message",
                        source_field="message_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="deliveries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("channel", fields.CharField(max_length=32)),
                ("state", fields.CharField(default="queued", db_default="queued", max_length=32)),
                ("consent_spent", fields.BooleanField(default=False, db_default=False)),
                ("receipt", fields.CharField(null=True, max_length=128)),
                ("reason", fields.CharField(null=True, max_length=64)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notifications_delivery",
                "app": "notifications",
                "unique_together": (("message", "channel"),),
                "pk_attr": "id",
                "table_description": "A message by one channel. `consent_spent` is written before sending: a repetition spends no second one.",
            },
            bases=["Model"],
        ),
    ]
