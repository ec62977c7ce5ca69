select {delta_columns}, d.content
from (
    select d.* from {delta} d
    where d.project_id = %(project_id)s
      and (%(after_at)s::timestamptz is null or (d.created_at, d.id) > (%(after_at)s, %(after_id)s::uuid))
    order by d.created_at, d.id
    limit %(limit)s
) d
join {project} p on p.id = d.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = d.created_by_id
order by d.created_at, d.id
