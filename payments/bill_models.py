"""Daily bills of the wallets: fetched, kept, held against our books."""

from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field
from payments.bill_rules import BillState

RAW_AT = "payments_bill_file.raw_sealed"
"""What a sealed file is bound to, with its row's id."""
NOTE_AT = "payments_bill_finding.note_sealed"
"""What a sealed note is bound to, with the finding's id."""


class DailyBill(models.Model):
    """One wallet's bill of one day in China. `theirs_*` is what it says, `ours_*` what our books have of the same."""

    id = id_field()
    wallet = code_field()
    day = fields.DateField(db_index=True)
    state = code_field(default=BillState.DUE.value, db_default=BillState.DUE.value)
    next_fetch_at = UtcDatetimeField()
    fetches = fields.IntField(default=0, db_default=0)
    # Why the last attempt brought nothing: a stable code and a sentence of ours, never the wallet's.
    error = fields.CharField(max_length=255, default="", db_default="")
    # SHA-256 of the file the figures come from; empty when the wallet had nothing to write down.
    digest = fields.CharField(max_length=64, default="", db_default="")
    fetched_at = UtcDatetimeField(null=True)
    # While lines are being written, whose writing it is: half a bill is never held against our books.
    storing = fields.CharField(max_length=32, default="", db_default="")
    matched_at = UtcDatetimeField(null=True)
    theirs_payments = fields.IntField(default=0, db_default=0)
    theirs_payments_fen = fields.BigIntField(default=0, db_default=0)
    theirs_refunds = fields.IntField(default=0, db_default=0)
    theirs_refunds_fen = fields.BigIntField(default=0, db_default=0)
    theirs_settled_fen = fields.BigIntField(default=0, db_default=0)
    service_fee_fen = fields.BigIntField(default=0, db_default=0)
    ours_payments = fields.IntField(default=0, db_default=0)
    ours_payments_fen = fields.BigIntField(default=0, db_default=0)
    ours_refunds = fields.IntField(default=0, db_default=0)
    ours_refunds_fen = fields.BigIntField(default=0, db_default=0)
    unexplained = fields.IntField(default=0, db_default=0)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()
    version = fields.IntField(default=1, db_default=1)

    class Meta:
        app = "payments"
        table = "payments_bill"
        unique_together = (("wallet", "day"),)


class BillFile(models.Model):
    """A bill as it was downloaded, once for each content: evidence, and it names payers, so it is sealed."""

    id = id_field()
    bill: fields.ForeignKeyRelation[DailyBill] = fields.ForeignKeyField(
        "payments.DailyBill", related_name="files", on_delete=fields.RESTRICT
    )
    bill_id: str
    digest = fields.CharField(max_length=64)
    raw_sealed = fields.BinaryField()
    created_at = UtcDatetimeField()

    class Meta:
        app = "payments"
        table = "payments_bill_file"
        unique_together = (("bill", "digest"),)


class BillEntry(models.Model):
    """One line of the newest file, without its payer; replaced when another file is fetched."""

    id = id_field()
    bill: fields.ForeignKeyRelation[DailyBill] = fields.ForeignKeyField(
        "payments.DailyBill", related_name="entries", on_delete=fields.RESTRICT
    )
    bill_id: str
    position = fields.IntField()
    kind = code_field()
    # A payment's transaction or our number of a refund: what our books know it by.
    number = fields.CharField(max_length=64, db_index=True)
    out_trade_no = fields.CharField(max_length=64)
    transaction_id = fields.CharField(max_length=64)
    amount_fen = fields.BigIntField()
    settled_fen = fields.BigIntField()
    service_fee_fen = fields.BigIntField()
    done_at = UtcDatetimeField()
    wallet_state = fields.CharField(max_length=64, default="", db_default="")

    class Meta:
        app = "payments"
        table = "payments_bill_entry"
        unique_together = (("bill", "position"),)


class BillFinding(models.Model):
    """What did not fit; open until a discrepancy explains it, staff resolve it, or a later look finds it gone."""

    id = id_field()
    bill: fields.ForeignKeyRelation[DailyBill] = fields.ForeignKeyField(
        "payments.DailyBill", related_name="findings", on_delete=fields.RESTRICT
    )
    bill_id: str
    # The same thing found again is the same row.
    reference = fields.CharField(max_length=160)
    kind = code_field()
    line_kind = code_field()
    out_trade_no = fields.CharField(max_length=64)
    transaction_id = fields.CharField(max_length=64)
    out_refund_no = fields.CharField(max_length=64)
    ours_fen = fields.BigIntField(null=True)
    theirs_fen = fields.BigIntField(null=True)
    position = fields.IntField(null=True)
    order_ref = ref_field(null=True)
    discrepancy_ref = ref_field(null=True)
    resolved_at = UtcDatetimeField(null=True)
    # A member of staff; null with `resolved_at` when it was found gone.
    resolved_by = ref_field(null=True)
    # Sealed, since people write names into notes.
    note_sealed = fields.TextField(null=True)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "payments"
        table = "payments_bill_finding"
        unique_together = (("bill", "reference"),)
