select owner.username || '/' || p.name as project, max(found.within) as count
from (
    select j.project_id,
           count(*) over (partition by j.project_id order by j.created_at
                          range between interval '1 hour' preceding and current row) as within
    from {job} j
    where j.type = 'process_projectfile' and j.created_at > %(since)s
) found
join {project} p on p.id = found.project_id join {user} owner on owner.id = p.owner_id
where found.within > %(most)s
group by owner.username, p.name
order by count desc, project
limit %(limit)s
