from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Discrepancy",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("dedupe_key", fields.CharField(unique=True, max_length=160)),
                ("fault", fields.CharField(max_length=32)),
                ("wallet", fields.CharField(max_length=32)),
                ("out_trade_no", fields.CharField(max_length=64)),
                ("transaction_id", fields.CharField(max_length=64)),
                ("order_ref", fields.CharField(null=True, db_index=True, max_length=32)),
                ("attempt_ref", fields.CharField(null=True, db_index=True, max_length=32)),
                ("inbox_ref", fields.CharField(null=True, db_index=True, max_length=32)),
                ("expected_fen", fields.BigIntField(null=True)),
                ("reported_fen", fields.BigIntField(null=True)),
                ("resolved_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "payments_discrepancy",
                "app": "payments",
                "pk_attr": "id",
                "table_description": "A wallet's word that was not taken as settlement; waits for staff, who refund or correct.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Order",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("purpose", fields.CharField(max_length=32)),
                ("subject_id", fields.CharField(db_index=True, max_length=32)),
                ("payer_id", fields.CharField(db_index=True, max_length=32)),
                ("slot", fields.CharField(null=True, unique=True, max_length=80)),
                ("amount_fen", fields.BigIntField()),
                ("state", fields.CharField(default="open", db_default="open", max_length=32)),
                ("settled_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=1, db_default=1)),
            ],
            options={
                "table": "payments_order",
                "app": "payments",
                "pk_attr": "id",
                "table_description": "What somebody owes for one purpose of one subject.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Attempt",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "payments.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="attempts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("out_trade_no", fields.CharField(unique=True, max_length=32)),
                ("wallet", fields.CharField(max_length=32)),
                ("merchant_id", fields.CharField(max_length=32)),
                ("app_id", fields.CharField(max_length=32)),
                ("amount_fen", fields.BigIntField()),
                ("description", fields.CharField(max_length=127)),
                ("payer_address_sealed", fields.TextField(unique=False)),
                ("client_params", fields.TextField(null=True, unique=False)),
                ("state", fields.CharField(default="preparing", db_default="preparing", max_length=32)),
                ("polls", fields.IntField(default=0, db_default=0)),
                ("next_poll_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=1, db_default=1)),
            ],
            options={
                "table": "payments_attempt",
                "app": "payments",
                "pk_attr": "id",
                "table_description": "One number given to one wallet. Its content never changes, so that it can be asked for again.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OrderLine",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "payments.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("position", fields.IntField()),
                ("code", fields.CharField(max_length=32)),
                ("name", fields.CharField(max_length=64)),
                ("amount_fen", fields.BigIntField()),
            ],
            options={
                "table": "payments_order_line",
                "app": "payments",
                "unique_together": (("order", "position"),),
                "pk_attr": "id",
                "table_description": "One thing that is charged for; never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Settlement",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "order",
                    fields.OneToOneField(
                        "payments.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="settlement",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "attempt",
                    fields.ForeignKeyField(
                        "payments.Attempt",
                        source_field="attempt_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="settlements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("wallet", fields.CharField(max_length=32)),
                ("transaction_id", fields.CharField(max_length=64)),
                ("amount_fen", fields.BigIntField()),
                ("paid_at", UtcDatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "payments_settlement",
                "app": "payments",
                "unique_together": (("wallet", "transaction_id"),),
                "pk_attr": "id",
                "table_description": "An order's one payment. Both unique keys hold where row locks do not reach.",
            },
            bases=["Model"],
        ),
    ]
