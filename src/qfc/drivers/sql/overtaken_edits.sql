-- Edits that a failed job left, that no job holds, and whose project was packaged since: devices lose sight of them.
with packaged as (
    select j.project_id, max(j.started_at) as at from {job} j
    where j.type = 'package' and j.status = 'finished' and j.started_at > %(since)s
    group by j.project_id
)
select owner.username || '/' || p.name as project, count(distinct d.id) as count
from {job} j join packaged on packaged.project_id = j.project_id and packaged.at > {ended_at}
join {apply_job_delta} part on part.apply_job_id = j.id
join {delta} d on d.id = part.delta_id and d.last_status in ('pending', 'error', 'not_applied')
join {project} p on p.id = j.project_id join {user} owner on owner.id = p.owner_id
where j.type = 'delta_apply' and j.status = 'failed' and j.created_at > %(since)s
  and not exists (select from {apply_job_delta} other join {job} held on held.id = other.apply_job_id
                  where other.delta_id = d.id and held.status in ('pending', 'queued', 'started'))
group by owner.username, p.name
order by count desc, project
limit %(limit)s
