-- The newest jobs. A filter that is not given is null, and the planner drops it.
select {job_columns}
from (
    select j.* from {job} j
    where (%(statuses)s::text[] is null or j.status = any(%(statuses)s))
      and (%(project_id)s::uuid is null or j.project_id = %(project_id)s)
      and (%(type)s::text is null or j.type = %(type)s)
      and (%(since)s::timestamptz is null or j.created_at >= %(since)s)
    order by j.created_at desc, j.id desc
    limit %(limit)s
) j
join {project} p on p.id = j.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = {author}
order by j.created_at desc, j.id desc
