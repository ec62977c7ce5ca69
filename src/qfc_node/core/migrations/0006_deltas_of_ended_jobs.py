"""No delta stays `started` in a job that is over, whoever ended it: a worker, the suite, a person at a psql prompt.

- What a job that has ended left open is closed, and its deltas are pending again.
- So is a delta whose job was deleted.
- Both at the end of the transaction: what the worker itself says about its deltas comes first.
- An index for what a claim asks: does an earlier job of the same project hold deltas that come first?
"""

from django.db import migrations, models

DELTAS = """
create function qfc_close_parts() returns trigger language plpgsql as $$
begin
    update core_applyjobdelta
    set status = 'not_applied', feedback = '{"msg": "The job was ended before the delta was applied."}'
    where apply_job_id = new.id and status in ('pending', 'started');
    return null;
end $$;
create constraint trigger core_job_ended after update of status on core_job
    deferrable initially deferred for each row
    when (new.status in ('finished', 'failed', 'stopped') and new.type = 'delta_apply')
    execute function qfc_close_parts();

create function qfc_free_delta() returns trigger language plpgsql as $$
begin
    update core_delta set last_status = 'pending'
    where id = old.delta_id and last_status = 'started'
      and not exists (select from core_applyjobdelta part
                      where part.delta_id = old.delta_id and part.status in ('pending', 'started'));
    return null;
end $$;
create constraint trigger core_applyjobdelta_closed after update of status on core_applyjobdelta
    deferrable initially deferred for each row
    when (old.status in ('pending', 'started') and new.status not in ('pending', 'started'))
    execute function qfc_free_delta();
create constraint trigger core_applyjobdelta_deleted after delete on core_applyjobdelta
    deferrable initially deferred for each row
    when (old.status in ('pending', 'started'))
    execute function qfc_free_delta();
"""

UNDO = """
drop trigger core_applyjobdelta_deleted on core_applyjobdelta;
drop trigger core_applyjobdelta_closed on core_applyjobdelta;
drop function qfc_free_delta();
drop trigger core_job_ended on core_job;
drop function qfc_close_parts();
"""


class Migration(migrations.Migration):
    """Two rules for deltas, and an index."""

    dependencies = [("core", "0005_index_of_waiting_jobs")]

    operations = [
        migrations.RunSQL(DELTAS, UNDO),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                models.F("project"),
                models.F("created_at"),
                models.F("id"),
                condition=models.Q(("status", "pending"), ("type", "delta_apply")),
                name="core_job_waiting_edits_idx",
            ),
        ),
    ]
