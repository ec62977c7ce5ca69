-- The database itself: how we begin, what it says of itself, and how a restored dump takes its place.

-- name: begin_reading
-- Begins to read. All queries of a view see the same moment. What takes longer is given up: nobody waits for it, and
-- the server has other work. JIT costs more than it saves on queries of milliseconds.
begin isolation level repeatable read read only;
set local statement_timeout = '10s';
set local timezone = 'UTC';
set local jit = off

-- name: begin_writing
-- Begins to write. Whoever waits longer for a lock is told that somebody else is changing the same rows.
begin isolation level read committed read write;
set local statement_timeout = '30s';
set local lock_timeout = '5s';
set local timezone = 'UTC';
set local jit = off

-- name: names
-- Those of the tables that there are, with their columns. What is found here fills in the other statements.
select c.relname as name, array_agg(a.attname::text) as columns
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relname = any(%(names)s) and c.relkind in ('r', 'p', 'v') and pg_catalog.pg_table_is_visible(c.oid)
group by c.relname

-- name: columns
-- The columns of a table that can be written.
select a.attname as name from pg_catalog.pg_attribute a
where a.attrelid = pg_catalog.to_regclass(%(table)s) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''

-- name: facts
-- Version, size and connections.
select current_setting('server_version') as version, pg_database_size(current_database()) as size_bytes,
       (select count(*) from pg_catalog.pg_stat_activity where datname = current_database()) as connections,
       current_setting('max_connections')::int as max_connections

-- name: tables
-- The biggest tables. Rows as the statistics estimate them; null before the first count.
select c.relname as name, nullif(c.reltuples, -1)::bigint as rows, pg_catalog.pg_total_relation_size(c.oid) as bytes
from pg_catalog.pg_class c
where c.relkind in ('r', 'p') and pg_catalog.pg_table_is_visible(c.oid)
  and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
order by bytes desc, name
limit %(limit)s

-- name: table_exists
-- Whether there is a table of that name.
select to_regclass(quote_ident(%(name)s)) is not null as found

-- name: table_count
-- How many rows a table has, whatever it is called.
select count(*) as rows from {name}

-- name: migrations
-- The migrations that the database has, in the order in which they were applied.
select app || '.' || name as name from django_migrations order by id

-- name: setting
-- needs: setting.key, setting.value
-- A stored value of the application's table of settings.
select value from {setting} where key = %(name)s

-- name: set_password
-- Gives our own role another password, hashed before it gets here: no log of the server has it.
alter role current_user password {hashed}

-- name: may_create
-- Whether a dump can be restored beside the database: a new one can be made, with every extension that this one has.
select rolsuper or (rolcreatedb and not exists (
    select from pg_catalog.pg_extension e
    join pg_catalog.pg_available_extension_versions v on v.name = e.extname and v.version = e.extversion
    where v.superuser and not coalesce((to_jsonb(v) ->> 'trusted')::boolean, false)))
from pg_catalog.pg_roles where rolname = current_user

-- name: exists
-- A row when the server has a database of that name.
select 1 from pg_catalog.pg_database where datname = %(name)s

-- name: create
-- An empty database.
create database {name} template template0

-- name: drop
-- Removes a database, and sends away whoever is connected to it.
drop database if exists {name} with (force)

-- name: close
-- Lets nobody in any more.
alter database {name} with allow_connections false

-- name: open
-- Lets connections in again.
alter database {name} with allow_connections true

-- name: send_away
-- Ends all connections but ours.
select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
where datname = %(name)s and pid <> pg_catalog.pg_backend_pid()

-- name: rename
-- Gives a database another name. Nobody may be connected to it.
alter database {name} rename to {to}
