from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="AuditAnchor",
            fields=[
                ("day", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=10)),
                ("last_hash", fields.CharField(max_length=64)),
                ("count", fields.BigIntField()),
                ("signature", fields.TextField(unique=False)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "kit_audit_anchor",
                "app": "kit",
                "pk_attr": "day",
                "table_description": "How long the chain was and how it ended when a day was over, signed with a key outside the database.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuditHead",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("turn", fields.BigIntField(db_default=0)),
                ("seq", fields.BigIntField(db_default=0)),
                ("hash", fields.CharField(max_length=64)),
            ],
            options={
                "table": "kit_audit_head",
                "app": "kit",
                "pk_attr": "id",
                "table_description": "The end of the chain, in one row; whoever updates it is the one sealer until the transaction ends.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuditRecord",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("at", UtcDatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ("actor_kind", fields.CharField(max_length=32)),
                ("actor_id", fields.CharField(max_length=64)),
                ("action", fields.CharField(max_length=64)),
                ("subject_kind", fields.CharField(max_length=32)),
                ("subject_id", fields.CharField(max_length=64)),
                ("result", fields.CharField(max_length=32)),
                ("source_ip_sealed", fields.CharField(null=True, max_length=255)),
                ("reason", fields.TextField(null=True, unique=False)),
                ("request_id", fields.CharField(db_default="", max_length=64)),
                ("details", fields.TextField(unique=False)),
                ("seq", fields.BigIntField(null=True, unique=True)),
                ("previous_hash", fields.CharField(null=True, max_length=64)),
                ("hash", fields.CharField(null=True, max_length=64)),
            ],
            options={
                "table": "kit_audit",
                "app": "kit",
                "indexes": [
                    Index(fields=["subject_kind", "subject_id", "at"]),
                    Index(fields=["actor_kind", "actor_id", "at"]),
                ],
                "pk_attr": "id",
                "table_description": "One deed; never updated but once, when the sealer gives it its place in the chain.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "kit_heartbeat", "app": "kit", "pk_attr": "name"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("who", fields.CharField(max_length=64)),
                ("route", fields.CharField(max_length=128)),
                ("request_key", fields.CharField(max_length=64)),
                ("body_digest", fields.CharField(max_length=64)),
                ("state", fields.CharField(db_default="done", max_length=32)),
                ("result_id", fields.CharField(null=True, max_length=64)),
                ("status", fields.IntField(null=True)),
                ("created_at", UtcDatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "kit_idempotency_key",
                "app": "kit",
                "unique_together": (("who", "route", "request_key"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InboxMessage",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("system", fields.CharField(max_length=32)),
                ("external_id", fields.CharField(max_length=128)),
                ("body_sealed", fields.BinaryField()),
                ("received_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "kit_inbox",
                "app": "kit",
                "unique_together": (("system", "external_id"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxHistory",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("event_name", fields.CharField(max_length=64)),
                ("event_version", fields.IntField(db_default=1)),
                ("handler", fields.CharField(max_length=64)),
                ("ordering_key", fields.CharField(max_length=64)),
                ("payload", fields.TextField(unique=False)),
                ("attempts", fields.IntField(db_default=0)),
                ("request_id", fields.CharField(db_default="", max_length=64)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("finished_at", UtcDatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={"table": "kit_outbox_history", "app": "kit", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxRow",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("event_name", fields.CharField(max_length=64)),
                ("event_version", fields.IntField(db_default=1)),
                ("handler", fields.CharField(max_length=64)),
                ("ordering_key", fields.CharField(max_length=64)),
                ("payload", fields.TextField(unique=False)),
                ("state", fields.CharField(db_default="pending", max_length=32)),
                ("available_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("lease_token", fields.CharField(null=True, max_length=32)),
                ("lease_until", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("attempts", fields.IntField(db_default=0)),
                ("error", fields.CharField(null=True, max_length=255)),
                ("request_id", fields.CharField(db_default="", max_length=64)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "kit_outbox",
                "app": "kit",
                "indexes": [Index(fields=["state", "available_at"]), Index(fields=["handler", "ordering_key", "id"])],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SequenceCounter",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("kind", fields.CharField(max_length=32)),
                ("district", fields.CharField(max_length=32)),
                ("period", fields.CharField(max_length=16)),
                ("value", fields.BigIntField(db_default=0)),
            ],
            options={
                "table": "kit_sequence",
                "app": "kit",
                "unique_together": (("kind", "district", "period"),),
                "pk_attr": "id",
                "table_description": "The last number given out.",
            },
            bases=["Model"],
        ),
    ]
