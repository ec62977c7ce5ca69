-- Of jobs whose worker died after files had changed: nobody knows which of these deltas are in the data.
with doubtful as (
    update {apply_job_delta} part set status = 'error',
        feedback = jsonb_build_object('in_doubt', true, 'msg',
                                      'The worker died after files had changed: it may be in the data already.')
    where part.apply_job_id = any(%(jobs)s::uuid[]) and part.status in ('pending', 'started')
    returning part.delta_id
)
update {delta} d set last_status = 'error', updated_at = clock_timestamp(),
    last_feedback = jsonb_build_object('in_doubt', true, 'msg',
                                      'The worker died after files had changed: it may be in the data already.')
from doubtful where doubtful.delta_id = d.id
returning d.id::text as id
