-- Whether a dump can be restored beside the database: a new one can be made, with every extension that this one has.
select rolsuper or (rolcreatedb and not exists (
    select from pg_catalog.pg_extension e
    join pg_catalog.pg_available_extension_versions v on v.name = e.extname and v.version = e.extversion
    where v.superuser and not coalesce((to_jsonb(v) ->> 'trusted')::boolean, false)))
from pg_catalog.pg_roles where rolname = current_user
