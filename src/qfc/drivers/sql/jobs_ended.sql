-- One walk down the index (status, finished_at) for each status, then the newest of all. Of the feedback only what says
-- why a job failed: the rest may be megabytes.
select {job_columns},
       case when j.status <> 'finished' then right(j.output, 2000) end as output,
       case when j.status <> 'finished' and jsonb_typeof(j.feedback) = 'object' then jsonb_strip_nulls(jsonb_build_object(
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
