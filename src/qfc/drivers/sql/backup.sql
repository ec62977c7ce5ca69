-- A backup: the snapshot, what is in it, and the lock that keeps objects.

-- name: begin
-- Begins to read; all queries and the dump see the same snapshot. Counting the rows of a big table may take a while.
begin isolation level repeatable read read only;
set local statement_timeout = '1h';
set local timezone = 'UTC';
set local jit = off

-- name: keep_objects
-- Keeps every object until the connection ends: whoever removes one needs its lock alone. See `blob_references.py` of
-- the node. Waits for removals that have begun.
select count(pg_advisory_lock_shared(%(lock_class)s, place)) as locks from generate_series(0, 255) place

-- name: snapshot
-- The moment, its position in the log, its name for pg_dump, the server's version.
select now() as taken_at, pg_current_wal_lsn()::text as position, pg_export_snapshot() as snapshot,
       current_setting('server_version') as server_version

-- name: tables
-- All tables with rows, without those of extensions, whose rows no dump has; of one in partitions, the partitions.
select c.relname as name from pg_catalog.pg_class c
where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass
                  and d.objid = c.oid and d.deptype = 'e')
order by name

-- name: newest
-- The times of the newest job and the newest delta.
select (select max(created_at) from {job}) as job, (select max(created_at) from {delta}) as delta

-- name: references
-- Every object that a row names, once for each store; its checksum and size where a row has them. Without a name of a
-- store, objects are named by their content.
select name, store, max(sha256) as sha256, max(size) as size from ({named_objects}) named
where name <> '' group by name, store order by store, name

-- name: still_named
-- Which of these objects a row names now.
select distinct name from ({named_objects}) named where name = any(%(names)s)

-- name: unlisted_projects
-- needs: project.file_storage, file
-- Projects of releases of 2025 whose files are not rows yet: the store alone knows them.
select id::text as id, file_storage as store from {project} where file_storage = 'legacy_storage' order by id

-- name: born
-- When the first migration was applied to the database.
select min(applied) as born_at from django_migrations

-- name: edits_since
-- The edits that arrived after a moment, with the content that devices sent, in order of arrival.
select {delta_columns}, d.content
from (select d.* from {delta} d where d.created_at > %(moment)s order by d.created_at, d.id) d
join {project} p on p.id = d.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = d.created_by_id
order by d.created_at, d.id

-- name: files_since
-- needs: file, file_version.content
-- The versions of project files that were stored after a moment, and whether a job that applied edits wrote them.
select f.project_id::text as project_id, owner.username || '/' || p.name as project, f.name, v.size,
       author.username as uploaded_by, v.uploaded_at, {newer_content}
from {file_version} v
join {file} f on f.id = v.file_id and f.file_type = 1
join {project} p on p.id = f.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = v.uploaded_by_id
where v.uploaded_at > %(moment)s
order by v.uploaded_at, v.id

-- name: as_replica
-- Changes past the rules and triggers of the database, until the transaction ends.
set local session_replication_role = replica

-- name: forget_workers
-- needs: worker
-- Forgets the workers of the time of the set. Only the embedded node has such a table.
delete from {worker}

-- name: silence
-- Ends all jobs of a copy of the node's database.
update {job} set status = 'stopped', finished_at = now() where status in ('pending', 'queued', 'started')
