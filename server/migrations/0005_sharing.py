from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    dependencies = [("server", "0004_notices")]

    operations = [
        ops.CreateModel(
            name="SharingCall",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("application_id", fields.CharField(db_index=True, max_length=32)),
                ("asked_by", fields.CharField(db_index=True, max_length=32)),
                ("subject_blind", fields.CharField(db_index=True, max_length=64)),
                ("source", fields.CharField(max_length=32)),
                ("purpose", fields.CharField(max_length=255)),
                ("legal_basis", fields.CharField(max_length=255)),
                ("request_no", fields.CharField(unique=True, max_length=32)),
                ("result", fields.CharField(max_length=32)),
                ("error", fields.CharField(db_default="", max_length=64)),
                ("milliseconds", fields.IntField()),
                ("called_at", UtcDatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sharing_call",
                "app": "server",
                "pk_attr": "id",
                "table_description": "One question to a department: who asked, about whom (blind), with what right, what came of it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SharingEvidence",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("application_id", fields.CharField(db_index=True, max_length=32)),
                ("party_id", fields.CharField(db_index=True, max_length=32)),
                ("subject_blind", fields.CharField(max_length=64)),
                ("source", fields.CharField(max_length=32)),
                ("kind", fields.CharField(max_length=32)),
                ("purpose", fields.CharField(max_length=255)),
                ("legal_basis", fields.CharField(max_length=255)),
                ("request_no", fields.CharField(max_length=32)),
                ("asked_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("answered_at", UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("result", fields.CharField(max_length=32)),
                ("content_sealed", fields.TextField(null=True, unique=False)),
                ("digest", fields.CharField(null=True, max_length=64)),
                ("format_version", fields.IntField(db_default=1)),
            ],
            options={
                "table": "sharing_evidence",
                "app": "server",
                "unique_together": (("application_id", "party_id", "source"),),
                "pk_attr": "id",
                "table_description": "What a department last answered about one party of an application.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="ApplicationMaterial",
            name="origin",
            field=fields.CharField(default="upload", db_default="upload", max_length=32),
        ),
        ops.AddField(model_name="ApplicationMaterial", name="source", field=fields.CharField(null=True, max_length=32)),
        ops.AddField(
            model_name="ApplicationMaterial", name="evidence_id", field=fields.CharField(null=True, max_length=32)
        ),
        ops.AddField(model_name="RegistryMaterial", name="source", field=fields.CharField(null=True, max_length=32)),
        ops.AddField(
            model_name="RegistryMaterial", name="source_text", field=fields.CharField(null=True, max_length=255)
        ),
        ops.AddField(model_name="RegistryMaterial", name="purpose", field=fields.CharField(null=True, max_length=255)),
        ops.AddField(
            model_name="RegistryMaterial", name="legal_basis", field=fields.CharField(null=True, max_length=255)
        ),
    ]
