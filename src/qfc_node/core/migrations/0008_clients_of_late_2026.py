"""What clients of late 2026 read of a project, and deltas that a device sent again in another deltafile."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Three columns and a table."""

    dependencies = [("core", "0007_tags_of_parts")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="is_featured",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="project",
            name="is_attachment_download_on_demand",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="project",
            name="restricted_data_last_updated_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="ResentDelta",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("deltafile_id", models.UUIDField()),
                (
                    "delta",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="resent", to="core.delta"
                    ),
                ),
            ],
            options={"db_table": "node_resentdelta"},
        ),
        migrations.AddConstraint(
            model_name="resentdelta",
            constraint=models.UniqueConstraint(
                models.F("deltafile_id"), models.F("delta"), name="node_resentdelta_unique"
            ),
        ),
    ]
