-- The state of the database server and of the application's periodic tasks, for `stack/ports/diagnosis/server.py`.

-- name: read_only
-- Whether the database is read-only: the server is a replica, or is configured so.
select pg_catalog.pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as is_read_only

-- name: stuck_sessions
-- Transactions that have been open or waiting for this many seconds.
-- Only accounts with the permission see the activity of others; for all others those states are null.
select case when a.wait_event_type = 'Lock' then 'waiting' else 'idle' end as what, a.application_name as program,
       extract(epoch from clock_timestamp()
               - case when a.wait_event_type = 'Lock' then a.query_start else a.state_change end)::float8 as seconds
from pg_catalog.pg_stat_activity a
where a.datname = current_database() and a.pid <> pg_catalog.pg_backend_pid()
  and ((a.state in ('idle in transaction', 'idle in transaction (aborted)')
        and a.state_change < clock_timestamp() - make_interval(secs => %(older_s)s))
       or (a.wait_event_type = 'Lock' and a.query_start < clock_timestamp() - make_interval(secs => %(older_s)s)))
union all
select 'prepared', x.gid, extract(epoch from clock_timestamp() - x.prepared)::float8
from pg_catalog.pg_prepared_xacts x
where x.database = current_database() and x.prepared < clock_timestamp() - make_interval(secs => %(older_s)s)
order by seconds desc
limit %(limit)s

-- name: cron_runs
-- needs: cron_log
-- The application's periodic tasks: the last start and the last success of each.
select c.code, max(c.start_time) as last_start, max(c.start_time) filter (where c.is_success) as last_success
from {cron_log} c
group by c.code
order by c.code

-- name: expired_sessions
-- needs: session
-- The number of sessions that have ended. Their row stays until `clearsessions` removes it.
select count(*) as number
from (select from {session} s where s.expire_date < clock_timestamp() limit %(limit)s) expired

-- name: audit_entries
-- needs: audit_log
-- The number of entries of the audit log from before a time.
select count(*) as number
from (select from {audit_log} a where a.timestamp < %(before)s limit %(limit)s) old

-- name: old_cron_runs
-- needs: cron_log
-- The number of runs of periodic tasks from before a time, without the last one of each task.
select count(*) as number
from (select from {cron_log} c where c.start_time < %(before)s
      and exists (select from {cron_log} later where later.code = c.code and later.start_time > c.start_time)
      limit %(limit)s) old

-- name: remove_cron_runs
-- needs: cron_log
-- Removes them.
delete from {cron_log} c where c.start_time < %(before)s
and exists (select from {cron_log} later where later.code = c.code and later.start_time > c.start_time)

-- name: oldest_secret
-- needs: secret.created_at
-- The creation time of the oldest secret of a project.
select min(created_at) as oldest from {secret}
