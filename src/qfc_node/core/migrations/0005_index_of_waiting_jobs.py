"""What waits for what is counted from the index of the queue alone, however many jobs wait."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """The index of pending jobs, with what says whether one of them may run."""

    dependencies = [("core", "0004_index_of_ended_jobs")]

    operations = [
        migrations.RemoveIndex(model_name="job", name="core_job_pending_idx"),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                models.F("created_at"),
                condition=models.Q(("status", "pending")),
                include=["project", "not_before"],
                name="core_job_pending_idx",
            ),
        ),
    ]
