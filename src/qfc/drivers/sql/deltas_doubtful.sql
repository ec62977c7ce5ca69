-- Deltas in doubt: they ended in an error that nobody explained, and one of their jobs may have changed something.
select distinct d.id::text as id
from {delta} d
join {apply_job_delta} part on part.delta_id = d.id
join {job} j on j.id = part.apply_job_id
join {project} p on p.id = j.project_id
where d.id = any(%(ids)s::uuid[]) and d.last_status = 'error'
  and (coalesce(d.last_feedback, 'null') in ('null', '{{}}') or d.last_feedback -> 'in_doubt' = 'true')
  and j.started_at is not null and {has_effect}
