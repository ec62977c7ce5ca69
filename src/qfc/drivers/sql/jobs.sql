-- The work of a stack: jobs, edits, and the workers in the database. Nothing here changes anything.

-- name: depth
-- The number of jobs that wait and run, and the seconds that the oldest one has waited.
-- All four figures come from one pass over the index (status, created_at). Used here and on the host of a deployment.
select count(*) filter (where j.status = 'pending') as pending,
       count(*) filter (where j.status = 'queued') as queued,
       count(*) filter (where j.status = 'started') as started,
       coalesce(greatest(extract(epoch from
           clock_timestamp() - min(j.created_at) filter (where j.status = 'pending')), 0), 0)::float8
           as oldest_pending_s
from {job} j
where j.status in ('pending', 'queued', 'started')

-- name: waiting_counts
-- Every pending job once, by what it waits for: its project's lock, its project's active job, a postponement, a worker.
with waiting as (
    select j.project_id, count(*) as jobs, count(*) filter (where {not_before} > now()) as postponed
    from {job} j where j.status = 'pending' group by j.project_id
), judged as (
    select w.jobs, w.postponed, {locked_at} is not null as locked,
           w.project_id in (select a.project_id from {job} a where a.status in ('queued', 'started')) as busy
    from waiting w join {project} p on p.id = w.project_id
)
select coalesce(sum(jobs) filter (where locked), 0)::bigint as project_locked,
       coalesce(sum(jobs) filter (where busy and not locked), 0)::bigint as project_busy,
       coalesce(sum(postponed) filter (where not busy and not locked), 0)::bigint as postponed,
       coalesce(sum(jobs - postponed) filter (where not busy and not locked), 0)::bigint as claimable,
       clock_timestamp() as at
from judged

-- name: pending
-- The jobs that wait, the oldest first.
select {job_columns}
from (select * from {job} where status = 'pending' order by created_at, id limit %(limit)s) j
join {project} p on p.id = j.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = {author}
order by j.created_at, j.id

-- name: active
-- The jobs that workers hold, the oldest first.
select {job_columns}
from (select * from {job} where status in ('queued', 'started') order by created_at, id limit %(limit)s) j
join {project} p on p.id = j.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = {author}
order by j.created_at, j.id

-- name: newest
-- The newest jobs. An unused filter is null, and the planner drops it.
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

-- name: by_id
-- Jobs whose ids are in a range, with output and feedback. At most two: this reveals an ambiguous beginning of an id.
select {job_columns}, j.output, j.feedback
from (select * from {job} where id between %(first)s and %(last)s order by id limit 2) j
join {project} p on p.id = j.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = {author}

-- name: ended
-- The jobs that have ended since a time, the latest first.
-- One walk down the index (status, finished_at) for each status, then the newest of all. Only those parts of the
-- feedback that explain a failure: the rest may be megabytes.
select {job_columns},
       case when j.status <> 'finished' then right(j.output, 2000) end as output,
       case when j.status <> 'finished' and jsonb_typeof(j.feedback) = 'object'
            then jsonb_strip_nulls(jsonb_build_object(
                'error', left(j.feedback ->> 'error', 2000),
                'error_type', j.feedback ->> 'error_type',
                'error_class', j.feedback ->> 'error_class',
                'error_origin', j.feedback ->> 'error_origin',
                'container_exit_code', j.feedback -> 'container_exit_code')) end as feedback
from (
    select j.*
    from unnest(%(statuses)s::text[]) as wanted(status)
    cross join lateral (
        select j.* from {job} j
        where j.status = wanted.status and {ended_at} >= %(since)s and {created_bound}
        order by {ended_at} desc
        limit %(limit)s
    ) j
    order by {ended_at} desc
    limit %(limit)s
) j
join {project} p on p.id = j.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = {author}
order by {ended_at} desc, j.id desc

-- name: statistics
-- The number of jobs that have ended since a time, and their waiting and running times.
-- Counts are exact; percentiles are those of the newest jobs, so that a million of them cost no more than a few
-- thousand.
with counts as (
    select count(*) filter (where j.status = 'finished') as finished,
           count(*) filter (where j.status = 'failed') as failed,
           count(*) filter (where j.status = 'stopped') as stopped
    from {job} j
    where j.status in ('finished', 'failed', 'stopped') and {ended_at} >= %(since)s and {created_bound}
), newest as (
    select extract(epoch from {ended_at} - j.started_at)::float8 as run,
           extract(epoch from j.started_at - j.created_at)::float8 as wait
    from {job} j
    where j.status = 'finished' and {ended_at} >= %(since)s and {created_bound}
    order by {ended_at} desc
    limit %(sample)s
), measured as (
    select percentile_disc(array[0.5, 0.95, 1]) within group (order by run) as run,
           percentile_disc(array[0.5, 0.95, 1]) within group (order by wait) as wait,
           count(*) as sample
    from newest
)
select counts.*, measured.* from counts, measured

-- name: history
-- Jobs that have ended and were created since a time, the newest first, as numbers: for the planning of capacity.
-- A job that was never started used no worker.
select j.project_id::text as project, j.type, coalesce({author}::text, '') as author,
       extract(epoch from j.created_at)::float8 as created_s, extract(epoch from j.started_at)::float8 as started_s,
       extract(epoch from {ended_at})::float8 as ended_s
from {job} j
where j.status in ('finished', 'failed', 'stopped') and j.created_at >= %(since)s and j.started_at is not null
  and {ended_at} is not null
order by j.created_at desc
limit %(limit)s

-- name: project_names
-- The names of projects by id.
select p.id::text as id, owner.username || '/' || p.name as name
from {project} p join {user} owner on owner.id = p.owner_id
where p.id = any(%(ids)s::uuid[])

-- name: deltas
-- Edits in order of arrival, without the content that devices sent. An unused filter is null.
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

-- name: delta_by_id
-- Edits whose ids are in a range, with the content that devices sent. At most two, as with jobs.
select {delta_columns}, d.content
from (select * from {delta} where id between %(first)s and %(last)s order by id limit 2) d
join {project} p on p.id = d.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = d.created_by_id

-- name: delta_contents
-- Edits of a project with the content that devices sent, in order of arrival, after a given one.
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

-- name: workers
-- needs: worker
-- The workers in the database, with their jobs. Only the embedded node has such a table.
-- A worker is alive as long as it holds its advisory lock: the server releases the lock when the connection ends.
-- A worker that has just picked a job up has not recorded that yet.
select w.id::text as id, w.pid, w.host, w.release, w.heartbeat_at, {layers} as layers, j.id::text as job_id,
       coalesce(j.started_at, w.started_at) as since,
       case when exists (
                select from pg_catalog.pg_locks l
                where l.locktype = 'advisory' and l.granted and l.objsubid = 2
                  and l.classid = 1363559255 and l.objid = w.lock_key -- the node's `worker.registry.LOCK_CLASS`
                  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
            ) then case when w.state = 'idle' and j.id is not null then 'busy' else w.state end
            else 'dead' end as state
from {worker} w
left join lateral (
    select j.id, j.started_at from {job} j
    where j.status in ('queued', 'started') and j.container_id = w.id::text
    limit 1
) j on true
order by w.started_at, w.id
limit 1000
