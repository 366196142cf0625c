from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [
        ops.AddField(
            model_name="Discrepancy",
            name="refund_ref",
            field=fields.CharField(null=True, db_index=True, max_length=32),
        ),
        ops.CreateModel(
            name="Refund",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "payments.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refunds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "attempt",
                    fields.ForeignKeyField(
                        "payments.Attempt",
                        source_field="attempt_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refunds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("slot", fields.CharField(null=True, unique=True, max_length=80)),
                ("out_refund_no", fields.CharField(unique=True, max_length=32)),
                ("wallet", fields.CharField(max_length=32)),
                ("cause", fields.CharField(max_length=32)),
                ("amount_fen", fields.BigIntField()),
                ("reason_sealed", fields.TextField(unique=False)),
                ("asked_by", fields.CharField(null=True, db_index=True, max_length=32)),
                ("state", fields.CharField(default="requested", db_default="requested", max_length=32)),
                ("wallet_refund_id", fields.CharField(default="", db_default="", max_length=64)),
                ("refusal", fields.CharField(default="", db_default="", max_length=64)),
                ("questions", fields.IntField(default=0, db_default=0)),
                ("next_question_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("refunded_at", UtcDatetimeField(null=True, db_index=True, auto_now=False, auto_now_add=False)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=1, db_default=1)),
            ],
            options={
                "table": "payments_refund",
                "app": "payments",
                "pk_attr": "id",
                "table_description": "Money on its way back to its payer. Its number and amount never change, so that it can be asked for again.",
            },
            bases=["Model"],
        ),
    ]
