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
-- All tables of the application.
select c.relname as name from pg_catalog.pg_class c
where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
order by name

-- name: newest
-- The times of the newest job and the newest delta.
select (select max(created_at) from {job}) as job, (select max(created_at) from {delta}) as delta

-- name: references
-- needs: file_version.content, project.thumbnail_uri
-- Every object that a row names, once; the size of a thumbnail is not recorded.
select content as sha256, max(size) as size
from (select v.content, v.size from {file_version} v
      union all
      select p.thumbnail_uri, null from {project} p where p.thumbnail_uri <> '') named
group by content order by content

-- name: still_named
-- needs: file_version.content, project.thumbnail_uri
-- Which of these objects a row names now.
select content as sha256 from {file_version} where content = any(%(names)s)
union
select thumbnail_uri from {project} where thumbnail_uri = any(%(names)s)

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
-- The versions of project files that were stored after a moment, and whether a job that applied edits wrote them: the
-- versions and the end of the job are one transaction.
select f.project_id::text as project_id, owner.username || '/' || p.name as project, f.name, v.content as sha256, v.size,
       author.username as uploaded_by, v.uploaded_at,
       exists (select from {job} j where j.project_id = f.project_id and j.type = 'delta_apply'
               and j.xmin::text = v.xmin::text) as by_job
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

-- name: silence
-- Ends all jobs of a copy of the node's database.
update {job} set status = 'stopped', finished_at = now() where status in ('pending', 'queued', 'started')
