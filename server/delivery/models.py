from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field


class DeliveryOrder(models.Model):
    """A certificate's paper on its way to its holder; `district` is the certificate's, whose clerks send it."""

    id = id_field()
    resident_id = ref_field()
    certificate_id = ref_field()
    # The certificate's id while its paper is asked for, on its way or delivered; null when it may be asked for again.
    live_key = fields.CharField(max_length=32, null=True, unique=True)
    certificate_number = fields.CharField(max_length=64)
    district = fields.CharField(max_length=6)
    state = code_field()
    receiver_name_sealed = fields.TextField()
    receiver_phone_sealed = fields.TextField()
    receiver_district = fields.CharField(max_length=6)
    receiver_address_sealed = fields.TextField()
    receiver_postcode_sealed = fields.TextField()
    phone_last4 = fields.CharField(max_length=4)
    carrier = code_field(null=True)
    waybill = fields.CharField(max_length=32, null=True, unique=True)
    old_certificate_recalled = fields.BooleanField(null=True)
    dispatched_by = fields.CharField(max_length=32, null=True)
    dispatched_at = UtcDatetimeField(null=True)
    watch = code_field(db_default="none")
    raw_state = fields.CharField(max_length=16, db_default="")
    attention = code_field(null=True)
    # Of the newest full list: how it compares with others, and its first line's moment.
    list_rank = fields.CharField(max_length=64, db_default="")
    list_begins_at = UtcDatetimeField(null=True)
    last_event_at = UtcDatetimeField(null=True)
    heard_at = UtcDatetimeField(null=True)
    queried_at = UtcDatetimeField(null=True)
    next_poll_at = UtcDatetimeField(null=True)
    signed_at = UtcDatetimeField(null=True)
    signed_by = code_field(null=True)
    # What staff found out and the carrier did not say; of what happened before, the carrier's word is no news any more.
    settled_as = code_field(null=True)
    settled_by = fields.CharField(max_length=32, null=True)
    settled_at = UtcDatetimeField(null=True)
    settlement_sealed: str | None = fields.TextField(null=True)
    version = fields.IntField(default=1, db_default=1)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "delivery_order"
        indexes = (("district", "state"),)


class DeliveryEvent(models.Model):
    """A line that a carrier once said; `list_rank` is that of the newest list which holds it."""

    id = id_field()
    order: fields.ForeignKeyRelation[DeliveryOrder] = fields.ForeignKeyField(
        "server.DeliveryOrder", related_name="events", on_delete=fields.RESTRICT
    )
    order_id: str
    carrier = code_field()
    digest = fields.CharField(max_length=64)
    list_rank = fields.CharField(max_length=64)
    at = UtcDatetimeField()
    state = code_field(null=True)
    raw_code = fields.CharField(max_length=16, db_default="")
    text_sealed = fields.TextField()
    location = fields.CharField(max_length=64, db_default="")
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "delivery_event"
        unique_together = (("order", "carrier", "digest"),)


class DeliveryStray(models.Model):
    """A genuine push that is about no parcel of ours, or cannot be read; waits for staff and changes nothing."""

    id = id_field()
    # "unknown:<waybill>" or "unreadable:<inbox id>": what is said twice is one row.
    dedupe_key = fields.CharField(max_length=80, unique=True)
    fault = code_field()
    waybill = fields.CharField(max_length=32, db_default="")
    inbox_ref = ref_field()
    resolved_at = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "delivery_stray"
