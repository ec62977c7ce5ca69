-- Every pending job once, by what holds it back: its project's lock, its project's active job, a postponement, nothing.
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
