from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("server", "0005_sharing")]

    operations = [
        ops.AddField(
            model_name="ResidentSession",
            name="wallet",
            field=fields.CharField(default="wechat", db_default="wechat", max_length=32),
        ),
        ops.AddField(
            model_name="WalletAccount",
            name="user_id_sealed",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name="FaceCheck",
            name="verify_url_sealed",
            field=fields.TextField(null=True, unique=False),
        ),
    ]
