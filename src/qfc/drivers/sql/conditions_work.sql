-- Problems of jobs and edits, for `stack/ports/diagnosis/work.py`.

-- name: edits
-- Edits of a status by project, for projects with more than a number of them.
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

-- name: overtaken_edits
-- Edits of a failed job that no job contains, and whose project has been packaged since: devices no longer show them.
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

-- name: skipped_features
-- needs: project.last_package_job_id
-- Features that the last package of a project lacks although its job finished: QGIS refused their geometry. Outputs
-- are long, so only those of the newest packages are read.
select owner.username || '/' || found.name as project,
       (select count(*) from regexp_matches(found.output,
                                            'Skipping feature ID [^\n]* due to problematic geometry', 'g')) as count
from (
    select p.name, p.owner_id, j.output from {project} p join {job} j on j.id = p.last_package_job_id
    where j.status = 'finished' and j.created_at > %(since)s
    order by j.created_at desc
    limit %(most)s
) found
join {user} owner on owner.id = found.owner_id
where position('due to problematic geometry' in found.output) > 0
order by count desc, project
limit %(limit)s

-- name: processing_storms
-- Projects with more than a number of process_projectfile jobs within an hour.
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

-- name: long_jobs
-- The types of jobs that take this many seconds or more, by project, the longest first.
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
