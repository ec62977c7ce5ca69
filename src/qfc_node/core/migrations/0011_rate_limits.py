"""Limits on how often projects are synchronised."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("core", "0010_layers_of_workers")]

    operations = [
        migrations.CreateModel(
            name="RateLimit",
            fields=[
                ("scope", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("per_minute", models.PositiveIntegerField()),
                ("until", models.DateTimeField(null=True)),
            ],
            options={"db_table": "node_rate_limit"},
        ),
        migrations.CreateModel(
            name="RateBucket",
            fields=[
                ("scope", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("empty_at", models.DateTimeField()),
            ],
            options={"db_table": "node_rate_bucket"},
        ),
        migrations.CreateModel(
            name="RateRefusal",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("project_id", models.UUIDField()),
                ("hour", models.DateTimeField()),
                ("refused", models.PositiveIntegerField(default=1)),
                ("last_at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "db_table": "node_rate_refusal",
                "constraints": [models.UniqueConstraint("project_id", "hour", name="node_rate_refusal_one_an_hour")],
            },
        ),
    ]
