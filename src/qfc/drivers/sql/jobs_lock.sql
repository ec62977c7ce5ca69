-- In the order of ids, so that two operators never wait for each other.
select j.id::text as id, j.status, j.type, j.project_id::text as project_id, j.created_at,
       j.started_at, nullif(j.container_id, '') as worker_id
from {job} j where j.id = any(%(ids)s::uuid[])
order by j.id
for update of j
