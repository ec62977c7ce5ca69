-- Rows as the statistics estimate them; null before the first count.
select c.relname as name, nullif(c.reltuples, -1)::bigint as rows, pg_catalog.pg_total_relation_size(c.oid) as bytes
from pg_catalog.pg_class c
where c.relkind in ('r', 'p') and pg_catalog.pg_table_is_visible(c.oid)
  and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
order by bytes desc, name
limit %(limit)s
