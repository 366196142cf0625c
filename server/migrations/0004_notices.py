from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("server", "0003_delivery")]

    operations = [
        ops.AddField(model_name="ApplicationStep", name="note_sealed", field=fields.TextField(null=True, unique=False)),
    ]
