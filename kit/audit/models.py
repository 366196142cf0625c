from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, id_field


class AuditRecord(models.Model):
    """One deed; never updated but once, when the sealer gives it its place in the chain."""

    id = id_field()
    at = UtcDatetimeField(db_index=True)
    actor_kind = fields.CharField(max_length=32)
    actor_id = fields.CharField(max_length=64)
    action = fields.CharField(max_length=64)
    subject_kind = fields.CharField(max_length=32)
    subject_id = fields.CharField(max_length=64)
    result = fields.CharField(max_length=32)
    source_ip_sealed = fields.CharField(max_length=255, null=True)
    reason = fields.TextField(null=True)
    request_id = fields.CharField(max_length=64, db_default="")
    details = fields.TextField()  # JSON text: the hash is over exactly what is stored
    seq = fields.BigIntField(null=True, unique=True)
    previous_hash = fields.CharField(max_length=64, null=True)
    hash = fields.CharField(max_length=64, null=True)

    class Meta:
        app = "kit"
        table = "kit_audit"
        indexes = (("subject_kind", "subject_id", "at"), ("actor_kind", "actor_id", "at"))


class AuditHead(models.Model):
    """The end of the chain, in one row; whoever updates it is the one sealer until the transaction ends."""

    id = fields.CharField(max_length=16, primary_key=True)
    turn = fields.BigIntField(db_default=0)
    seq = fields.BigIntField(db_default=0)
    hash = fields.CharField(max_length=64)

    class Meta:
        app = "kit"
        table = "kit_audit_head"


class AuditAnchor(models.Model):
    """How long the chain was and how it ended when a day was over, signed with a key outside the database."""

    day = fields.CharField(max_length=10, primary_key=True)
    last_hash = fields.CharField(max_length=64)
    count = fields.BigIntField()
    signature = fields.TextField()
    created_at = UtcDatetimeField()

    class Meta:
        app = "kit"
        table = "kit_audit_anchor"
