from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_refunds")]

    operations = [
        ops.CreateModel(
            name="DailyBill",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("wallet", fields.CharField(max_length=32)),
                ("day", fields.DateField(db_index=True)),
                ("state", fields.CharField(default="due", db_default="due", max_length=32)),
                ("next_fetch_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("fetches", fields.IntField(default=0, db_default=0)),
                ("error", fields.CharField(default="", db_default="", max_length=255)),
                ("digest", fields.CharField(default="", db_default="", max_length=64)),
                ("fetched_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("matched_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("theirs_payments", fields.IntField(default=0, db_default=0)),
                ("theirs_payments_fen", fields.BigIntField(default=0, db_default=0)),
                ("theirs_refunds", fields.IntField(default=0, db_default=0)),
                ("theirs_refunds_fen", fields.BigIntField(default=0, db_default=0)),
                ("theirs_settled_fen", fields.BigIntField(default=0, db_default=0)),
                ("service_fee_fen", fields.BigIntField(default=0, db_default=0)),
                ("ours_payments", fields.IntField(default=0, db_default=0)),
                ("ours_payments_fen", fields.BigIntField(default=0, db_default=0)),
                ("ours_refunds", fields.IntField(default=0, db_default=0)),
                ("ours_refunds_fen", fields.BigIntField(default=0, db_default=0)),
                ("unexplained", fields.IntField(default=0, db_default=0)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=1, db_default=1)),
            ],
            options={
                "table": "payments_bill",
                "app": "payments",
                "unique_together": (("wallet", "day"),),
                "pk_attr": "id",
                "table_description": "One wallet's bill of one day in China. `theirs_*` is what it says, `ours_*` what our books have of the same.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="BillFile",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "bill",
                    fields.ForeignKeyField(
                        "payments.DailyBill",
                        source_field="bill_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="files",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("digest", fields.CharField(max_length=64)),
                ("raw_sealed", fields.BinaryField()),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "payments_bill_file",
                "app": "payments",
                "unique_together": (("bill", "digest"),),
                "pk_attr": "id",
                "table_description": "A bill as it was downloaded, once for each content: evidence, and it names payers, so it is sealed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="BillEntry",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "bill",
                    fields.ForeignKeyField(
                        "payments.DailyBill",
                        source_field="bill_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="entries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("position", fields.IntField()),
                ("kind", fields.CharField(max_length=32)),
                ("number", fields.CharField(db_index=True, max_length=64)),
                ("out_trade_no", fields.CharField(max_length=64)),
                ("transaction_id", fields.CharField(max_length=64)),
                ("amount_fen", fields.BigIntField()),
                ("settled_fen", fields.BigIntField()),
                ("service_fee_fen", fields.BigIntField()),
                ("done_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("wallet_state", fields.CharField(default="", db_default="", max_length=64)),
            ],
            options={
                "table": "payments_bill_entry",
                "app": "payments",
                "unique_together": (("bill", "position"),),
                "pk_attr": "id",
                "table_description": "One line of the newest file, without its payer; replaced when another file is fetched.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="BillFinding",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "bill",
                    fields.ForeignKeyField(
                        "payments.DailyBill",
                        source_field="bill_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="findings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("reference", fields.CharField(max_length=160)),
                ("kind", fields.CharField(max_length=32)),
                ("line_kind", fields.CharField(max_length=32)),
                ("out_trade_no", fields.CharField(max_length=64)),
                ("transaction_id", fields.CharField(max_length=64)),
                ("out_refund_no", fields.CharField(max_length=64)),
                ("ours_fen", fields.BigIntField(null=True)),
                ("theirs_fen", fields.BigIntField(null=True)),
                ("position", fields.IntField(null=True)),
                ("order_ref", fields.CharField(null=True, db_index=True, max_length=32)),
                ("discrepancy_ref", fields.CharField(null=True, db_index=True, max_length=32)),
                ("resolved_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("resolved_by", fields.CharField(null=True, db_index=True, max_length=32)),
                ("note_sealed", fields.TextField(null=True, unique=False)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "payments_bill_finding",
                "app": "payments",
                "unique_together": (("bill", "reference"),),
                "pk_attr": "id",
                "table_description": "What did not fit; open until a discrepancy explains it, staff resolve it, or a later look finds it gone.",
            },
            bases=["Model"],
        ),
    ]
