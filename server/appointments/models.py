from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field

PASS_AT = "appointments_booking.pass_sealed"  # noqa: S105 - the place of a column, no password
"""What a sealed pass is bound to, with its row's id."""


class Office(models.Model):
    """Where counters are. `plan` is JSON: hours, groups, capacities; slots exist through `released_through`."""

    id: str = id_field()
    code = code_field(unique=True)
    district = fields.CharField(max_length=6, db_index=True)
    name = fields.CharField(max_length=64)
    address = fields.CharField(max_length=200)
    phone = fields.CharField(max_length=32)
    map_hint = fields.CharField(max_length=200, default="", db_default="")
    plan = fields.TextField()
    released_through = fields.DateField(null=True)
    version = fields.IntField(default=1, db_default=1)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "appointments_office"


class OfficeClosure(models.Model):
    """A day on which an office does not open; `cleared_at` is when everybody who had booked it was freed."""

    id: str = id_field()
    office: fields.ForeignKeyRelation["Office"] = fields.ForeignKeyField(
        "server.Office", related_name="closures", on_delete=fields.RESTRICT
    )
    office_id: str
    day = fields.DateField()
    reason = fields.CharField(max_length=200)
    closed_by = fields.CharField(max_length=32)
    cleared_at = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "appointments_closure"
        unique_together = (("office", "day"),)


class AppointmentSlot(models.Model):
    """Half an hour of one group's counters; `booked` is moved only by conditional updates."""

    id: str = id_field()
    office: fields.ForeignKeyRelation["Office"] = fields.ForeignKeyField(
        "server.Office", related_name="slots", on_delete=fields.RESTRICT
    )
    office_id: str
    business_group = code_field()
    day = fields.DateField()
    starts_at = UtcDatetimeField()
    ends_at = UtcDatetimeField()
    capacity = fields.IntField()
    booked = fields.IntField(default=0, db_default=0)
    closed = fields.BooleanField(default=False, db_default=False)

    class Meta:
        app = "server"
        table = "appointments_slot"
        unique_together = (("office", "business_group", "starts_at"),)
        indexes = (("office_id", "day"),)


class Booking(models.Model):
    """One person's place in a slot; `active_key` is theirs while it is live, so that nobody has two.

    No foreign key to the slot: its shared lock on the slot's row would turn bookings of one slot into deadlocks.
    """

    id: str = id_field()
    resident_id = ref_field()
    slot_id = ref_field()
    office_id = fields.CharField(max_length=32)
    district = fields.CharField(max_length=6)
    business_group = code_field()
    business_type = code_field()
    state = code_field()
    hold_until = UtcDatetimeField(null=True)
    active_key = fields.CharField(max_length=80, null=True, unique=True)
    number = fields.CharField(max_length=16, null=True)
    pass_hash = fields.CharField(max_length=64, null=True, unique=True)
    pass_sealed: str | None = fields.TextField(null=True)
    day = fields.DateField()
    starts_at = UtcDatetimeField()
    ends_at = UtcDatetimeField()
    version = fields.IntField(default=1, db_default=1)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()
    booked_at = UtcDatetimeField(null=True)
    ended_at = UtcDatetimeField(null=True)
    ended_reason = fields.CharField(max_length=200, default="", db_default="")
    checked_in_at = UtcDatetimeField(null=True)
    checked_in_by = fields.CharField(max_length=32, null=True)

    class Meta:
        app = "server"
        table = "appointments_booking"
        unique_together = (("office_id", "day", "number"),)
        indexes = (("state", "hold_until"), ("state", "ends_at"), ("office_id", "starts_at"))
