"""The tag that clients compare: above 8 MiB that of S3, from parts.

This only adds an empty column and finds the rows without their tag; the workers compute the tags from the bytes.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A column, and an index of the rows that still need their tag."""

    dependencies = [("core", "0006_deltas_of_ended_jobs")]

    operations = [
        migrations.AddField(
            model_name="fileversion",
            name="etag",
            field=models.CharField(db_default="", default="", max_length=64),
        ),
        migrations.AddIndex(
            model_name="fileversion",
            index=models.Index(
                models.F("content"),
                condition=models.Q(
                    ("size__gt", 8388608), models.Q(("etag__contains", "-"), _negated=True)
                ),
                name="filestorage_old_tag_idx",
            ),
        ),
    ]
