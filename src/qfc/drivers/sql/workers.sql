-- A worker lives as long as it holds its advisory lock: the server itself gives the lock up when the connection ends.
-- One that has just taken a job has not said so yet.
select w.id::text as id, w.pid, w.host, w.release, w.heartbeat_at, j.id::text as job_id, coalesce(j.started_at, w.started_at) as since,
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
