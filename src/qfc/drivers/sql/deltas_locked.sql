-- Deltas, each with the open job that holds it. Read after the lock was taken; see parts_locked.sql.
select d.id::text as delta_id, d.last_status as status, d.created_at, d.project_id::text as project_id,
       null as job_id,
       (select other.id::text from {apply_job_delta} part join {job} other on other.id = part.apply_job_id
        where part.delta_id = d.id and other.status in ('pending', 'queued', 'started') limit 1) as open_job_id
from {delta} d
where d.id = any(%(ids)s::uuid[])
order by d.created_at, d.id
