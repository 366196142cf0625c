from typing import Any

from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field, ref_field


def optional_text() -> Any:
    """A text that may be absent; Tortoise types every TextField as one that is there."""
    return fields.TextField(null=True)


class Resident(models.Model):
    """One person; `level` is a rules.Level."""

    id = id_field()
    level = fields.IntField(db_default=1)
    name_sealed = optional_text()
    id_kind = code_field(null=True)
    id_number_sealed = optional_text()
    id_number_blind = fields.CharField(max_length=64, null=True, unique=True)
    phone_sealed = optional_text()
    phone_blind = fields.CharField(max_length=64, null=True, db_index=True)  # families share a phone: not unique
    verified_at = UtcDatetimeField(null=True)
    merged_into = ref_field(null=True)
    version = fields.IntField(db_default=1)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "identity_resident"


class WalletAccount(models.Model):
    """A resident's account of one wallet, as our app there knows it."""

    id = id_field()
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField(
        "server.Resident", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    resident_id: str
    wallet = code_field()
    app_id = fields.CharField(max_length=64)
    openid_sealed = fields.TextField()
    openid_blind = fields.CharField(max_length=64)
    union_id_sealed = optional_text()
    user_id_sealed = optional_text()
    session_key_sealed = optional_text()
    last_login_at = UtcDatetimeField()
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "identity_wallet_account"
        unique_together = (("wallet", "app_id", "openid_blind"),)


class ResidentSession(models.Model):
    id = id_field()
    token_hash = fields.CharField(max_length=64, unique=True)
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField(
        "server.Resident", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    resident_id: str
    account: fields.ForeignKeyRelation[WalletAccount] = fields.ForeignKeyField(
        "server.WalletAccount", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    account_id: str
    wallet = code_field(default="wechat", db_default="wechat")
    last_used_at = UtcDatetimeField()
    expires_at = UtcDatetimeField(db_index=True)
    ended_at = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "identity_session"


class FaceCheck(models.Model):
    """`number` is what the wallet knows the check by; `subject_sealed` is kept only until the result is final."""

    id = id_field()
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField(
        "server.Resident", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    resident_id: str
    account: fields.ForeignKeyRelation[WalletAccount] = fields.ForeignKeyField(
        "server.WalletAccount", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    account_id: str
    action = code_field()
    digest = fields.CharField(max_length=64)
    state = code_field()
    number = fields.CharField(max_length=32, unique=True)
    subject_sealed = optional_text()
    verify_id_sealed = optional_text()
    verify_url_sealed = optional_text()
    failure = code_field(null=True)
    outside_code = code_field(null=True)
    expires_at = UtcDatetimeField()
    settled_at = UtcDatetimeField(null=True)
    consumed_by = fields.CharField(max_length=64, null=True)
    consumed_at = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "identity_face_check"
