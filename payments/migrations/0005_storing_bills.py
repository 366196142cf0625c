from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_finance")]

    operations = [
        ops.AddField(
            model_name="DailyBill",
            name="storing",
            field=fields.CharField(default="", db_default="", max_length=32),
        ),
    ]
