"""Pictures of users and organizations."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0011_rate_limits")]

    operations = [
        migrations.CreateModel(
            name="Avatar",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="avatar",
                        serialize=False,
                        to="core.user",
                    ),
                ),
                ("picture", models.BinaryField()),
            ],
            options={"db_table": "node_avatar"},
        ),
    ]
