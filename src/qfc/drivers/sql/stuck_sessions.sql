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
