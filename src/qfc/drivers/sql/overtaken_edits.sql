-- Edits that a failed job left, that no job holds, and whose project was packaged since: devices lose sight of them.
select owner.username || '/' || p.name as project, count(distinct d.id) as count
from {job} j
join {apply_job_delta} part on part.apply_job_id = j.id
join {delta} d on d.id = part.delta_id and d.last_status in ('pending', 'error', 'not_applied')
join {project} p on p.id = j.project_id join {user} owner on owner.id = p.owner_id
where j.type = 'delta_apply' and j.status = 'failed' and j.created_at > %(since)s
  and not exists (select from {apply_job_delta} other join {job} held on held.id = other.apply_job_id
                  where other.delta_id = d.id and held.status in ('pending', 'queued', 'started'))
  and exists (select from {job} package where package.project_id = j.project_id and package.type = 'package'
              and package.status = 'finished' and package.started_at > {ended_at})
group by owner.username, p.name
order by count desc, project
limit %(limit)s
