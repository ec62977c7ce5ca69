-- A worker lives as long as it holds its advisory lock: the server itself gives the lock up when the connection ends.
select w.id::text as id, w.pid, w.heartbeat_at, j.id::text as job_id, coalesce(j.started_at, w.started_at) as since,
       case when exists (
                select from pg_catalog.pg_locks l
                where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
                  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
                  and l.classid::bigint = (w.lock_key >> 32) & 4294967295 and l.objid::bigint = w.lock_key & 4294967295
            ) then w.state else 'dead' end as state
from {worker} w
left join lateral (
    select j.id, j.started_at from {job} j
    where j.status in ('queued', 'started') and replace(j.container_id, '-', '') = replace(w.id::text, '-', '')
    limit 1
) j on true
order by w.started_at, w.id
limit 1000
