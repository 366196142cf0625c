from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field
from payments.refund_rules import RefundState
from payments.rules import AttemptState, OrderState

REASON_AT = "payments_refund.reason_sealed"
"""What a sealed reason is bound to, with the refund's id."""
NOTE_AT = "payments_discrepancy.note_sealed"
"""What a sealed note is bound to, with the discrepancy's id."""


class Order(models.Model):
    """What somebody owes for one purpose of one subject."""

    id = id_field()
    purpose = code_field()
    subject_id = ref_field()
    payer_id = ref_field()
    # "<purpose>:<subject id>": unique, so that one thing is charged for once; nullable, so that it can be given up.
    slot = fields.CharField(max_length=80, null=True, unique=True)
    amount_fen = fields.BigIntField()
    state = code_field(default=OrderState.OPEN.value, db_default=OrderState.OPEN.value)
    settled_at = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()
    version = fields.IntField(default=1, db_default=1)

    class Meta:
        app = "payments"
        table = "payments_order"


class OrderLine(models.Model):
    """One thing that is charged for; never changed."""

    id = id_field()
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "payments.Order", related_name="lines", on_delete=fields.RESTRICT
    )
    position = fields.IntField()
    code = code_field()
    name = fields.CharField(max_length=64)
    amount_fen = fields.BigIntField()

    class Meta:
        app = "payments"
        table = "payments_order_line"
        unique_together = (("order", "position"),)


class Attempt(models.Model):
    """One number given to one wallet. Its content never changes, so that it can be asked for again."""

    id = id_field()
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "payments.Order", related_name="attempts", on_delete=fields.RESTRICT
    )
    order_id: str
    out_trade_no = fields.CharField(max_length=32, unique=True)
    wallet = code_field()
    merchant_id = fields.CharField(max_length=32)
    app_id = fields.CharField(max_length=32)
    amount_fen = fields.BigIntField()
    description = fields.CharField(max_length=127)
    payer_address_sealed = fields.TextField()
    client_params = fields.TextField(null=True)
    state = code_field(default=AttemptState.PREPARING.value, db_default=AttemptState.PREPARING.value)
    polls = fields.IntField(default=0, db_default=0)
    next_poll_at = UtcDatetimeField()
    expires_at = UtcDatetimeField()
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()
    version = fields.IntField(default=1, db_default=1)

    class Meta:
        app = "payments"
        table = "payments_attempt"


class Settlement(models.Model):
    """An order's one payment. Both unique keys hold where row locks do not reach."""

    id = id_field()
    order: fields.OneToOneRelation[Order] = fields.OneToOneField(
        "payments.Order", related_name="settlement", on_delete=fields.RESTRICT
    )
    order_id: str
    attempt: fields.ForeignKeyNullableRelation[Attempt] = fields.ForeignKeyField(
        "payments.Attempt", related_name="settlements", on_delete=fields.RESTRICT, null=True
    )
    attempt_id: str | None
    wallet = code_field()
    transaction_id = fields.CharField(max_length=64)
    amount_fen = fields.BigIntField()
    paid_at = UtcDatetimeField(db_index=True)
    created_at = UtcDatetimeField()

    class Meta:
        app = "payments"
        table = "payments_settlement"
        unique_together = (("wallet", "transaction_id"),)


class Refund(models.Model):
    """Money on its way back to its payer. Its number and amount never change, so that it can be asked for again."""

    id = id_field()
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "payments.Order", related_name="refunds", on_delete=fields.RESTRICT
    )
    order_id: str
    attempt: fields.ForeignKeyRelation[Attempt] = fields.ForeignKeyField(
        "payments.Attempt", related_name="refunds", on_delete=fields.RESTRICT
    )
    attempt_id: str
    # "second:<attempt id>": unique, so that a second payment is given back by itself once.
    slot = fields.CharField(max_length=80, null=True, unique=True)
    out_refund_no = fields.CharField(max_length=32, unique=True)
    wallet = code_field()
    cause = code_field()
    amount_fen = fields.BigIntField()
    # What the wallet holds of a disputed payment, whose amount is not what was asked for; null for any other.
    paid_fen = fields.BigIntField(null=True)
    # What finance wrote; the payer's wallet shows a fixed sentence instead.
    reason_sealed = fields.TextField()
    asked_by = ref_field(null=True)
    # The second person, who confirmed it or turned it down; null where one is enough, or while it waits.
    decided_by = ref_field(null=True)
    decided_at = UtcDatetimeField(null=True)
    state = code_field(default=RefundState.REQUESTED.value, db_default=RefundState.REQUESTED.value)
    wallet_refund_id = fields.CharField(max_length=64, default="", db_default="")
    refusal = fields.CharField(max_length=64, default="", db_default="")
    questions = fields.IntField(default=0, db_default=0)
    next_question_at = UtcDatetimeField()
    # When the wallet first said that it has it: the day whose bill it stands in.
    taken_at = UtcDatetimeField(null=True)
    refunded_at = UtcDatetimeField(null=True, db_index=True)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()
    version = fields.IntField(default=1, db_default=1)

    class Meta:
        app = "payments"
        table = "payments_refund"


class Discrepancy(models.Model):
    """A wallet's word that was not taken as settlement; waits for staff, who refund or correct."""

    id = id_field()
    # "<fault>:<wallet>:<what it is about>": the same word heard twice is one row.
    dedupe_key = fields.CharField(max_length=160, unique=True)
    fault = code_field()
    wallet = code_field()
    out_trade_no = fields.CharField(max_length=64)
    transaction_id = fields.CharField(max_length=64)
    order_ref = ref_field(null=True)
    attempt_ref = ref_field(null=True)
    refund_ref = ref_field(null=True)
    inbox_ref = ref_field(null=True)
    expected_fen = fields.BigIntField(null=True)
    reported_fen = fields.BigIntField(null=True)
    resolved_at = UtcDatetimeField(null=True)
    # A member of staff; null with `resolved_at` when it came right by itself.
    resolved_by = ref_field(null=True)
    # Sealed, since people write names into notes.
    note_sealed = fields.TextField(null=True)
    created_at = UtcDatetimeField()

    class Meta:
        app = "payments"
        table = "payments_discrepancy"
