from tortoise import fields, models

from kit.db.fields import UtcDatetimeField, code_field, id_field


class CatalogueVersion(models.Model):
    """One version of one piece of content as JSON; an empty `district` means everywhere. Rows are never changed."""

    id: str = id_field()
    kind = code_field()
    code = fields.CharField(max_length=64)
    district = fields.CharField(max_length=6, default="", db_default="")
    version = fields.IntField()
    effective_from = fields.DateField()
    effective_to = fields.DateField(null=True)
    body = fields.TextField()
    created_at = UtcDatetimeField()

    class Meta:
        app = "server"
        table = "catalogue_version"
        unique_together = (("kind", "code", "district", "version"),)
