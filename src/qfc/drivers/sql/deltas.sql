select {delta_columns}
from (
    select d.* from {delta} d
    where (%(statuses)s::text[] is null or d.last_status = any(%(statuses)s))
      and (%(project_id)s::uuid is null or d.project_id = %(project_id)s)
      and (%(before)s::timestamptz is null or d.created_at < %(before)s)
      and (%(created_by)s::text is null or d.created_by_id in (
          select u.id from {user} u where upper(u.username) = upper(%(created_by)s)))
      and (%(job_id)s::uuid is null or d.id in (
          select part.delta_id from {apply_job_delta} part where part.apply_job_id = %(job_id)s))
    order by d.created_at, d.id
    limit %(limit)s
) d
join {project} p on p.id = d.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = d.created_by_id
order by d.created_at, d.id
