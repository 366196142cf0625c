from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from kit.db.fields import UtcDatetimeField


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial")]

    operations = [
        ops.CreateModel(
            name="MessageTemplate",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("code", fields.CharField(max_length=32)),
                ("district", fields.CharField(default="", db_default="", max_length=6)),
                ("version", fields.IntField()),
                ("effective_from", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("content", fields.TextField(unique=False)),
                ("saved_by", fields.CharField(max_length=32)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notifications_template",
                "app": "notifications",
                "unique_together": (("code", "version"),),
                "pk_attr": "id",
                "table_description": "One version of the words of a message; it never changes, so that old messages read as they did.",
            },
            bases=["Model"],
        ),
        ops.AddField(model_name="Message", name="template_version", field=fields.IntField(default=1, db_default=1)),
        ops.AddField(model_name="Consent", name="standing", field=fields.BooleanField(default=False, db_default=False)),
        ops.AddField(model_name="Delivery", name="receipt_checks", field=fields.IntField(default=0, db_default=0)),
    ]
