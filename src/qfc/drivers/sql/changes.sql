-- An operator's changes to the queue: lock the rows, read them again, decide, write. A part is an edit in a job.

-- name: lock_jobs
-- Jobs, locked in the order of ids, so that two operators never wait for each other.
select j.id::text as id, j.status, j.type, j.project_id::text as project_id, j.created_at,
       j.started_at, nullif(j.container_id, '') as worker_id
from {job} j where j.id = any(%(ids)s::uuid[])
order by j.id
for update of j

-- name: lock_projects
-- Locks the projects of jobs and edits, as the node's API does before it assigns edits to jobs: so no edit gets into
-- two of them.
select p.id from {project} p
where p.id in (select j.project_id from {job} j where j.id = any(%(jobs)s::uuid[])
               union select d.project_id from {delta} d where d.id = any(%(deltas)s::uuid[]))
order by p.id
for no key update of p

-- name: lock_deltas_of_jobs
-- Locks the edits of apply jobs, in the order of ids.
select d.id from {delta} d
where d.id in (select part.delta_id from {apply_job_delta} part where part.apply_job_id = any(%(ids)s::uuid[]))
order by d.id
for update of d

-- name: lock_deltas
-- Locks edits, in the order of ids.
select d.id from {delta} d where d.id = any(%(ids)s::uuid[]) order by d.id for update of d

-- name: deltas_of_jobs
-- The edits of apply jobs, each with another open job that contains it. Read after taking the lock, by a separate
-- statement: a statement that waits for a lock sees other tables as they were before the wait.
select part.apply_job_id::text as job_id, d.id::text as delta_id, d.last_status as status, d.created_at,
       d.project_id::text as project_id,
       (select other.id::text from {apply_job_delta} elsewhere join {job} other on other.id = elsewhere.apply_job_id
        where elsewhere.delta_id = d.id and other.id <> part.apply_job_id
          and other.status in ('pending', 'queued', 'started') limit 1) as open_job_id
from {apply_job_delta} part join {delta} d on d.id = part.delta_id
where part.apply_job_id = any(%(ids)s::uuid[])
order by d.created_at, d.id

-- name: deltas
-- Edits, each with the open job that contains it. Read after taking the lock, as for `deltas_of_jobs`.
select d.id::text as delta_id, d.last_status as status, d.created_at, d.project_id::text as project_id,
       null as job_id,
       (select other.id::text from {apply_job_delta} part join {job} other on other.id = part.apply_job_id
        where part.delta_id = d.id and other.status in ('pending', 'queued', 'started') limit 1) as open_job_id
from {delta} d
where d.id = any(%(ids)s::uuid[])
order by d.created_at, d.id

-- name: jobs_with_effect
-- The jobs among these that may have changed something.
select j.id::text as id
from {job} j join {project} p on p.id = j.project_id
where j.id = any(%(ids)s::uuid[]) and {has_effect}

-- name: doubtful_deltas
-- The edits among these that are in doubt: they ended in an unexplained error, and one of their jobs may have changed
-- something.
select distinct d.id::text as id
from {delta} d
join {apply_job_delta} part on part.delta_id = d.id
join {job} j on j.id = part.apply_job_id
join {project} p on p.id = j.project_id
where d.id = any(%(ids)s::uuid[]) and d.last_status = 'error'
  and (coalesce(d.last_feedback, 'null') in ('null', '{{}}') or d.last_feedback -> 'in_doubt' = 'true')
  and j.started_at is not null and {has_effect}

-- name: lock_waiting_jobs
-- Waiting jobs whose order matters, locked, so that no worker picks one of them up while their order changes.
select j.id::text as id, j.project_id::text as project_id, j.type, j.created_at,
       (select min(d.created_at) from {apply_job_delta} part join {delta} d on d.id = part.delta_id
        where part.apply_job_id = j.id and part.status in ('pending', 'started')) as first_delta
from {job} j
where j.status = 'pending' and j.type in ('delta_apply', 'package') and j.project_id = any(%(projects)s::uuid[])
order by j.id
for update of j

-- name: jobs_to_pending
-- Requeues jobs. Output and feedback stay until the worker writes new ones: they show the cause of the failure.
update {job} set status = 'pending', updated_at = clock_timestamp(), {as_new} where id = any(%(ids)s::uuid[])

-- name: jobs_to_stopped
-- Ends jobs that an operator cancels.
update {job} set status = 'stopped', updated_at = clock_timestamp(), finished_at = clock_timestamp(),
    feedback = jsonb_build_object('error', 'The job was cancelled by an operator.', 'error_type', 'CANCELLED',
                                  'error_class', '', 'error_origin', 'operator', 'error_stack', '')
where id = any(%(ids)s::uuid[])

-- name: jobs_to_failed
-- Ends jobs whose workers died.
update {job} set status = 'failed', updated_at = clock_timestamp(), finished_at = clock_timestamp(),
    feedback = jsonb_build_object('error', 'Job unexpectedly terminated: its worker died.', 'error_type', 'WORKER_DIED',
                                  'error_class', '', 'error_origin', 'operator', 'error_stack', '')
where id = any(%(ids)s::uuid[])

-- name: jobs_to_places
-- Reorders waiting jobs in the queue. Workers of every release pick up the oldest job first.
update {job} j set created_at = chosen.place
from unnest(%(ids)s::uuid[], %(places)s::timestamptz[]) as chosen(id, place)
where j.id = chosen.id and j.status = 'pending'

-- name: job_to_front
-- Makes a waiting job the next one, by making it the oldest.
update {job} set created_at = '2000-01-01T00:00:00Z' where id = %(id)s and status = 'pending'

-- name: reset_jobs
-- Changes the status of jobs whose status is allowed; returns the ids of the changed ones.
update {job} set status = %(to)s, updated_at = clock_timestamp()
where id in (select j.id from {job} j
             where j.id = any(%(ids)s::uuid[]) and j.status = any(%(allowed)s::text[]) order by j.id for update)
returning id::text as id

-- name: parts_to_pending
-- Requeues edits in their jobs.
update {apply_job_delta} part set status = 'pending', feedback = null, modified_pk = null
from unnest(%(jobs)s::uuid[], %(deltas)s::uuid[]) as chosen(job_id, delta_id)
where part.apply_job_id = chosen.job_id and part.delta_id = chosen.delta_id

-- name: parts_to_not_applied
-- Marks the edits of cancelled jobs as not applied.
update {apply_job_delta} part set status = 'not_applied',
    feedback = jsonb_build_object('msg', 'The job was cancelled by an operator before the delta was applied.')
where part.apply_job_id = any(%(jobs)s::uuid[]) and part.status in ('pending', 'started')

-- name: parts_to_doubtful
-- Ends the edits of jobs whose workers died after files had changed: it is unknown which of them are in the data.
-- Returns their ids.
with doubtful as (
    update {apply_job_delta} part set status = 'error',
        feedback = jsonb_build_object('in_doubt', true, 'msg',
                                      'The worker died after files had changed: it may be in the data already.')
    where part.apply_job_id = any(%(jobs)s::uuid[]) and part.status in ('pending', 'started')
    returning part.delta_id
)
update {delta} d set last_status = 'error', updated_at = clock_timestamp(),
    last_feedback = jsonb_build_object('in_doubt', true, 'msg',
                                      'The worker died after files had changed: it may be in the data already.')
from doubtful where doubtful.delta_id = d.id
returning d.id::text as id

-- name: deltas_to_pending
-- Requeues edits.
update {delta} set last_status = 'pending', last_feedback = null, updated_at = clock_timestamp()
where id = any(%(ids)s::uuid[])

-- name: insert_apply_job
-- Creates a job that applies edits, for the project's owner, or for the owner of the organization that owns it.
-- The second part follows the first.
with job as (
    insert into {job} (id, created_at, updated_at, project_id, type, status, container_id, {author_columns})
    select %(id)s::uuid, clock_timestamp(), clock_timestamp(), p.id, 'delta_apply', 'pending', '', {author_values}
    from {project} p left join {organization} o on o.user_ptr_id = p.owner_id
    where p.id = %(project_id)s
    returning id, project_id
)
insert into {apply_job} (job_ptr_id, overwrite_conflicts)
select job.id, p.overwrite_conflicts from job join {project} p on p.id = job.project_id

-- name: insert_parts
-- Assigns edits to an apply job, in their order.
insert into {apply_job_delta} (apply_job_id, delta_id, status)
select %(job_id)s::uuid, chosen.delta_id, 'pending'
from unnest(%(deltas)s::uuid[]) with ordinality as chosen(delta_id, place)
order by chosen.place

-- name: unlock_projects
-- needs: project.locked_at
-- Unlocks projects and returns their ids: never one with an active job, nor one that has been locked since the check.
update {project} p set locked_at = null
where p.id = any(%(ids)s::uuid[]) and p.locked_at < %(locked_before)s
  and not exists (select from {job} j where j.project_id = p.id and j.status in ('queued', 'started'))
returning p.id::text as id
