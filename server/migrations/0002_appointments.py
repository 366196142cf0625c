from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    dependencies = [("server", "0001_initial")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Office",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("code", fields.CharField(unique=True, max_length=32)),
                ("district", fields.CharField(db_index=True, max_length=6)),
                ("name", fields.CharField(max_length=64)),
                ("address", fields.CharField(max_length=200)),
                ("phone", fields.CharField(max_length=32)),
                ("map_hint", fields.CharField(default="", db_default="", max_length=200)),
                ("plan", fields.TextField(unique=False)),
                ("released_through", fields.DateField(null=True)),
                ("version", fields.IntField(default=1, db_default=1)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "appointments_office",
                "app": "server",
                "pk_attr": "id",
                "table_description": "Where counters are. `plan` is JSON: hours, groups, capacities; slots exist through `released_through`.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OfficeClosure",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "office",
                    fields.ForeignKeyField(
                        "server.Office",
                        source_field="office_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="closures",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("day", fields.DateField()),
                ("reason", fields.CharField(max_length=200)),
                ("closed_by", fields.CharField(max_length=32)),
                ("cleared_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "appointments_closure",
                "app": "server",
                "unique_together": (("office", "day"),),
                "pk_attr": "id",
                "table_description": "A day on which an office does not open; `cleared_at` is when everybody who had booked it was freed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AppointmentSlot",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "office",
                    fields.ForeignKeyField(
                        "server.Office",
                        source_field="office_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="slots",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("business_group", fields.CharField(max_length=32)),
                ("day", fields.DateField()),
                ("starts_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("ends_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("capacity", fields.IntField()),
                ("booked", fields.IntField(default=0, db_default=0)),
                ("closed", fields.BooleanField(default=False, db_default=False)),
            ],
            options={
                "table": "appointments_slot",
                "app": "server",
                "unique_together": (("office", "business_group", "starts_at"),),
                "indexes": [Index(fields=["office_id", "day"])],
                "pk_attr": "id",
                "table_description": "Half an hour of one group's counters; `booked` is moved only by conditional updates.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Booking",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("resident_id", fields.CharField(db_index=True, max_length=32)),
                ("slot_id", fields.CharField(db_index=True, max_length=32)),
                ("office_id", fields.CharField(max_length=32)),
                ("district", fields.CharField(max_length=6)),
                ("business_group", fields.CharField(max_length=32)),
                ("business_type", fields.CharField(max_length=32)),
                ("state", fields.CharField(max_length=32)),
                ("hold_until", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("active_key", fields.CharField(null=True, unique=True, max_length=80)),
                ("number", fields.CharField(null=True, max_length=16)),
                ("pass_hash", fields.CharField(null=True, unique=True, max_length=64)),
                ("pass_sealed", fields.TextField(null=True, unique=False)),
                ("day", fields.DateField()),
                ("starts_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("ends_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=1, db_default=1)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("booked_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ended_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ended_reason", fields.CharField(default="", db_default="", max_length=200)),
                ("checked_in_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("checked_in_by", fields.CharField(null=True, max_length=32)),
            ],
            options={
                "table": "appointments_booking",
                "app": "server",
                "unique_together": (("office_id", "day", "number"),),
                "indexes": [
                    Index(fields=["state", "hold_until"]),
                    Index(fields=["state", "ends_at"]),
                    Index(fields=["office_id", "starts_at"]),
                ],
                "pk_attr": "id",
                "table_description": "One person's place in a slot; `active_key` is theirs while it is live, so that nobody has two.\n\nNo foreign key to the slot: its shared lock on the slot's row would turn bookings of one slot into deadlocks.",
            },
            bases=["Model"],
        ),
    ]
