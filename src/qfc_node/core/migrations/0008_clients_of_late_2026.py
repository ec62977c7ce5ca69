"""What clients of late 2026 read of a project, and deltas that a device sent again in another deltafile."""

import django.db.models.deletion
from django.db import migrations, models


#: The name makes the type, where no QGIS file contradicts.
SHARED_DATASETS = """
update core_project set project_type = 'shared_datasets'
where lower(name) = 'shared_datasets' and project_filename is null;
"""


class Migration(migrations.Migration):
    """Three columns and a table; projects by the name of shared datasets become such."""

    dependencies = [("core", "0007_tags_of_parts")]

    operations = [
        migrations.RunSQL(SHARED_DATASETS, migrations.RunSQL.noop),
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
