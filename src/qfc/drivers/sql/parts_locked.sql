-- The deltas of apply jobs, each with the open job that holds it besides its own. Read after the lock was taken, by a
-- statement of its own: the statement that waits for a lock sees other tables as they were before it waited.
select part.apply_job_id::text as job_id, d.id::text as delta_id, d.last_status as status, d.created_at,
       d.project_id::text as project_id,
       (select other.id::text from {apply_job_delta} elsewhere join {job} other on other.id = elsewhere.apply_job_id
        where elsewhere.delta_id = d.id and other.id <> part.apply_job_id
          and other.status in ('pending', 'queued', 'started') limit 1) as open_job_id
from {apply_job_delta} part join {delta} d on d.id = part.delta_id
where part.apply_job_id = any(%(ids)s::uuid[])
order by d.created_at, d.id
