select owner.username || '/' || p.name as project, found.type, found.jobs, found.p95_s
from (
    select j.project_id, j.type, count(*) as jobs,
           percentile_disc(0.95) within group (order by extract(epoch from {ended_at} - j.started_at)::float8) as p95_s
    from {job} j
    where j.status = 'finished' and j.created_at > %(since)s and j.started_at is not null
    group by j.project_id, j.type
) found
join {project} p on p.id = found.project_id join {user} owner on owner.id = p.owner_id
where found.p95_s >= %(at_least_s)s
order by found.p95_s desc, project, found.type
limit %(limit)s
