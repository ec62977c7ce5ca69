"""The operator's notices to users, in a table of upstream's name."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """The table of settings."""

    dependencies = [("core", "0008_clients_of_late_2026")]

    operations = [
        migrations.CreateModel(
            name="Setting",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255, unique=True)),
                ("value", models.TextField(blank=True)),
            ],
            options={"db_table": "constance_constance"},
        ),
    ]
