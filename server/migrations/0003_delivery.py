from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    dependencies = [("server", "0002_appointments")]
    initial = False

    operations = [
        ops.CreateModel(
            name="DeliveryOrder",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("resident_id", fields.CharField(db_index=True, max_length=32)),
                ("certificate_id", fields.CharField(db_index=True, max_length=32)),
                ("live_key", fields.CharField(null=True, unique=True, max_length=32)),
                ("certificate_number", fields.CharField(max_length=64)),
                ("district", fields.CharField(max_length=6)),
                ("state", fields.CharField(max_length=32)),
                ("receiver_name_sealed", fields.TextField(unique=False)),
                ("receiver_phone_sealed", fields.TextField(unique=False)),
                ("receiver_district", fields.CharField(max_length=6)),
                ("receiver_address_sealed", fields.TextField(unique=False)),
                ("receiver_postcode_sealed", fields.TextField(unique=False)),
                ("phone_last4", fields.CharField(max_length=4)),
                ("carrier", fields.CharField(null=True, max_length=32)),
                ("waybill", fields.CharField(null=True, unique=True, max_length=32)),
                ("old_certificate_recalled", fields.BooleanField(null=True)),
                ("dispatched_by", fields.CharField(null=True, max_length=32)),
                ("dispatched_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("watch", fields.CharField(db_default="none", max_length=32)),
                ("raw_state", fields.CharField(db_default="", max_length=16)),
                ("attention", fields.CharField(null=True, max_length=32)),
                ("list_rank", fields.CharField(db_default="", max_length=64)),
                ("list_begins_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_event_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("heard_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("queried_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("next_poll_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("signed_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("signed_by", fields.CharField(null=True, max_length=32)),
                ("version", fields.IntField(default=1, db_default=1)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "delivery_order",
                "app": "server",
                "indexes": [Index(fields=["district", "state"])],
                "pk_attr": "id",
                "table_description": "A certificate's paper on its way to its holder; `district` is the certificate's, whose clerks send it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DeliveryStray",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("dedupe_key", fields.CharField(unique=True, max_length=80)),
                ("fault", fields.CharField(max_length=32)),
                ("waybill", fields.CharField(db_default="", max_length=32)),
                ("inbox_ref", fields.CharField(db_index=True, max_length=32)),
                ("resolved_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "delivery_stray",
                "app": "server",
                "pk_attr": "id",
                "table_description": "A genuine push that is about no parcel of ours, or cannot be read; waits for staff and changes nothing.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DeliveryEvent",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "server.DeliveryOrder",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="events",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("carrier", fields.CharField(max_length=32)),
                ("digest", fields.CharField(max_length=64)),
                ("list_rank", fields.CharField(max_length=64)),
                ("at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("state", fields.CharField(null=True, max_length=32)),
                ("raw_code", fields.CharField(db_default="", max_length=16)),
                ("text_sealed", fields.TextField(unique=False)),
                ("location", fields.CharField(db_default="", max_length=64)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "delivery_event",
                "app": "server",
                "unique_together": (("order", "carrier", "digest"),),
                "pk_attr": "id",
                "table_description": "A line that a carrier once said; `list_rank` is that of the newest list which holds it.",
            },
            bases=["Model"],
        ),
    ]
