from enum import StrEnum

from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field


class StaffState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


class StaffMember(models.Model):
    """`roles` and `districts` are lists joined by commas; `districts` is `*` for every one."""

    id = id_field()
    username = fields.CharField(max_length=32)
    username_key = fields.CharField(max_length=32, unique=True)
    name_sealed = fields.TextField()
    password_hash = fields.CharField(max_length=255)
    totp_secret_sealed = fields.TextField()
    totp_last_step = fields.BigIntField(db_default=0)
    roles = fields.CharField(max_length=128)
    districts = fields.TextField()
    state = code_field()
    version = fields.IntField(db_default=1)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "staff_member"


class StaffSession(models.Model):
    id = id_field()
    token_hash = fields.CharField(max_length=64, unique=True)
    member: fields.ForeignKeyRelation[StaffMember] = fields.ForeignKeyField(
        "server.StaffMember", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    member_id: str
    last_used_at = UtcDatetimeField()
    expires_at = UtcDatetimeField(db_index=True)
    ended_at = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "staff_session"


class StaffSignInFailures(models.Model):
    """Failed sign-ins in a row by username, known or not, so that being locked tells nobody which names exist."""

    id = id_field()
    username_blind = fields.CharField(max_length=64, unique=True)
    failures = fields.IntField(db_default=0)
    last_at = UtcDatetimeField(null=True, db_index=True)
    locked_until = UtcDatetimeField(null=True)

    class Meta:
        app = "server"
        table = "staff_sign_in_failures"
