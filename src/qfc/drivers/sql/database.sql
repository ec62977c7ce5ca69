-- The database itself: transactions, facts about it, and its replacement by a restored dump.

-- name: begin_reading
-- Begins to read. All queries of a transaction see the same snapshot. Longer queries are cancelled: nobody waits for
-- them, and the server has other work. JIT costs more than it saves on queries of milliseconds.
begin isolation level repeatable read read only;
set local statement_timeout = '10s';
set local timezone = 'UTC';
set local jit = off

-- name: begin_writing
-- Begins to write. A longer wait for a lock fails with the error that another session is changing the same rows.
begin isolation level read committed read write;
set local statement_timeout = '30s';
set local lock_timeout = '5s';
set local timezone = 'UTC';
set local jit = off

-- name: names
-- The existing ones among these tables, with their columns. The result completes the other statements.
select c.relname as name, array_agg(a.attname::text) as columns
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relname = any(%(names)s) and c.relkind in ('r', 'p', 'v') and pg_catalog.pg_table_is_visible(c.oid)
group by c.relname

-- name: columns
-- The writable columns of a table, with their types, and whether a row without a value for one is refused.
select a.attname as name, pg_catalog.format_type(a.atttypid, null) as type,
       a.attnotnull and not a.atthasdef and a.attidentity = '' as is_required
from pg_catalog.pg_attribute a
where a.attrelid = pg_catalog.to_regclass(%(table)s) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''

-- name: facts
-- Version, size and connections.
select current_setting('server_version') as version, pg_database_size(current_database()) as size_bytes,
       (select count(*) from pg_catalog.pg_stat_activity where datname = current_database()) as connections,
       current_setting('max_connections')::int as max_connections

-- name: tables
-- The largest tables. The statistics estimate the rows; null before the first ANALYZE.
select c.relname as name, nullif(c.reltuples, -1)::bigint as rows, pg_catalog.pg_total_relation_size(c.oid) as bytes
from pg_catalog.pg_class c
where c.relkind in ('r', 'p') and pg_catalog.pg_table_is_visible(c.oid)
  and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
order by bytes desc, name
limit %(limit)s

-- name: vacuum_due
-- The tables with many dead rows, or with many changes since their statistics were made.
select c.relname as name
from pg_catalog.pg_stat_user_tables s
join pg_catalog.pg_class c on c.oid = s.relid and pg_catalog.pg_table_is_visible(c.oid)
where greatest(s.n_dead_tup, s.n_mod_since_analyze) >= %(rows)s
  and greatest(s.n_dead_tup, s.n_mod_since_analyze) > %(share)s * s.n_live_tup
order by name

-- name: vacuum
-- Frees the space of dead rows for new ones, and makes statistics. It locks out nobody who reads or writes.
vacuum (analyze) {name}

-- name: table_exists
-- Whether a table of that name exists.
select to_regclass(quote_ident(%(name)s)) is not null as found

-- name: table_count
-- The number of rows of a table, by its name in the database; without those of tables that inherit from it.
select count(*) as rows from only {name}

-- name: migrations
-- The applied migrations, in the order in which they were applied.
select app || '.' || name as name from django_migrations order by id

-- name: setting
-- needs: setting.key, setting.value
-- A stored value of the application's table of settings.
select value from {setting} where key = %(name)s

-- name: set_password
-- Changes the password of our own role, hashed before it gets here: no log of the server has it.
alter role current_user password {hashed}

-- name: may_create
-- Whether a dump can be restored next to the database: we can create another one with all extensions of this one.
select rolsuper or (rolcreatedb and not exists (
    select from pg_catalog.pg_extension e
    join pg_catalog.pg_available_extension_versions v on v.name = e.extname and v.version = e.extversion
    where v.superuser and not coalesce((to_jsonb(v) ->> 'trusted')::boolean, false)))
from pg_catalog.pg_roles where rolname = current_user

-- name: exists
-- One row if the server has a database of that name.
select 1 from pg_catalog.pg_database where datname = %(name)s

-- name: options
-- What a database is created with, to be like another one; the locale's provider where the server has a choice.
select concat_ws(' ',
    format('encoding %%L lc_collate %%L lc_ctype %%L', pg_encoding_to_char(encoding), datcollate, datctype),
    case more ->> 'datlocprovider' when 'c' then 'locale_provider libc'
        when 'i' then format('locale_provider icu icu_locale %%L', locale)
        when 'b' then format('locale_provider builtin builtin_locale %%L', locale) end,
    'icu_rules ' || quote_literal(more ->> 'daticurules'),
    case when pg_has_role(datdba, 'member') then format('owner %%I', pg_get_userbyid(datdba)) end) as options
from (select d.*, to_jsonb(d) as more, coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale
      from pg_catalog.pg_database d where datname = %(name)s) d

-- name: settings
-- The settings of a database, and of roles in it: name, value, role.
select split_part(one, '=', 1) as name, substr(one, strpos(one, '=') + 1) as value, r.rolname as role
from pg_catalog.pg_database d
join pg_catalog.pg_db_role_setting s on s.setdatabase = d.oid
cross join unnest(s.setconfig) one
left join pg_catalog.pg_roles r on r.oid = s.setrole
where d.datname = %(name)s

-- name: set_here
-- Gives a value to a setting of our session.
select set_config(%(name)s, %(value)s, false)

-- name: set_there
-- Gives the value that our session has to a setting of a database, or of a role in it.
alter {whose} set {option} from current

-- name: create
-- Creates an empty database.
create database {name} template template0 {options}

-- name: owner
-- The owner that a copy of a database gets: its own, if our role is a member of it.
select case when pg_has_role(datdba, 'member') then format('owner %%I', pg_get_userbyid(datdba)) else '' end
from pg_catalog.pg_database where datname = %(name)s

-- name: copy
-- Creates a database with the content of another one, which must have no connections.
create database {name} template {of} {owner}

-- name: drop
-- Removes a database, and ends all connections to it.
drop database if exists {name} with (force)

-- name: close
-- Refuses new connections to a database.
alter database {name} with allow_connections false

-- name: open
-- Accepts connections again.
alter database {name} with allow_connections true

-- name: send_away
-- Ends all connections except ours.
select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
where datname = %(name)s and pid <> pg_catalog.pg_backend_pid()

-- name: rename
-- Renames a database, which must have no connections.
alter database {name} rename to {to}
