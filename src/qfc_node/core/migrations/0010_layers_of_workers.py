"""What holds the jobs of a worker, as the worker found it at its start."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0009_notices_of_the_operator")]

    operations = [
        migrations.AddField(model_name="worker", name="layers", field=models.JSONField(null=True)),
    ]
