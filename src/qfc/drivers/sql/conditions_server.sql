-- What the database server and the application say of themselves, for `stack/ports/diagnosis/server.py`.

-- name: read_only
-- Whether nothing can be written: the server is a copy of another, or was told so.
select pg_catalog.pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as is_read_only

-- name: stuck_sessions
-- Transactions that are open or wait for so many seconds.
-- What other accounts do is seen by those with the right to it alone; for others their states are null.
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
-- The application's periodic tasks: when each began last, and when it last succeeded.
select c.code, max(c.start_time) as last_start, max(c.start_time) filter (where c.is_success) as last_success
from {cron_log} c
group by c.code
order by c.code

-- name: oldest_secret
-- needs: secret.created_at
-- Since when the oldest of the projects' secrets is stored.
select min(created_at) as oldest from {secret}
