-- Waiting jobs whose order matters; held, so that no worker takes up one of them while they change places.
select j.id::text as id, j.project_id::text as project_id, j.type, j.created_at,
       (select min(d.created_at) from {apply_job_delta} part join {delta} d on d.id = part.delta_id
        where part.apply_job_id = j.id and part.status in ('pending', 'started')) as first_delta
from {job} j
where j.status = 'pending' and j.type in ('delta_apply', 'package') and j.project_id = any(%(projects)s::uuid[])
order by j.id
for update of j
