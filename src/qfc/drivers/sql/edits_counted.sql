-- Edits of a status by project, of projects that have more of them than that.
select owner.username || '/' || p.name as project, found.count
from (
    select d.project_id, count(*) as count from {delta} d
    where d.last_status = %(status)s and (%(since)s::timestamptz is null or d.created_at > %(since)s)
    group by d.project_id
    having count(*) > %(more_than)s
) found
join {project} p on p.id = found.project_id join {user} owner on owner.id = p.owner_id
order by found.count desc, project
limit %(limit)s
