from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    dependencies = [("server", "0006_wallets")]

    operations = [
        ops.AddField(
            model_name="DeliveryOrder",
            name="settled_as",
            field=fields.CharField(null=True, max_length=32),
        ),
        ops.AddField(
            model_name="DeliveryOrder",
            name="settled_by",
            field=fields.CharField(null=True, max_length=32),
        ),
        ops.AddField(
            model_name="DeliveryOrder",
            name="settled_at",
            field=UtcDatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="DeliveryOrder",
            name="settlement_sealed",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.CreateModel(
            name="CertificatePaperMove",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("certificate_id", fields.CharField(db_index=True, max_length=32)),
                ("message_id", fields.CharField(unique=True, max_length=32)),
                ("way", fields.CharField(max_length=32)),
                ("happened_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("noted_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("carrier", fields.CharField(null=True, max_length=32)),
                ("waybill", fields.CharField(null=True, max_length=32)),
                ("signed_by", fields.CharField(null=True, max_length=32)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "certificates_paper_move",
                "app": "server",
                "pk_attr": "id",
                "table_description": "Where the paper of a certificate went (发证记录), as the platform told it. Rows are only added.",
            },
            bases=["Model"],
        ),
    ]
