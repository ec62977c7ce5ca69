-- Problems of projects' files, for `stack/ports/diagnosis/files.py`. Projects whose files are in other stores have no
-- rows of them.

-- name: reserved
-- needs: file, file_version
-- Files with names that some device cannot store, by the rule of every release.
select {found_files}
  and (f.name ~ '[<>:"|?*\\]' or f.name ~ '[. ](/|$)'
       or f.name ~* '(^|/)(con|prn|aux|nul|com[1-9]|lpt[1-9])([.][^/]*)?(/|$)'
       or octet_length(f.name) > 255
       and exists (select from unnest(string_to_array(f.name, '/')) as part(word) where octet_length(part.word) > 255))
order by project, f.name
limit %(limit)s

-- name: hidden
-- needs: file, file_version
-- Hidden files, and files in hidden folders.
select {found_files} and f.name ~ '(^|/)[.][^/]'
order by project, f.name
limit %(limit)s

-- name: second_project
-- needs: file, file_version
-- Each project file of projects that have more than one.
select {found_files} and f.name ~* '[.]qg[sz]$'
  and exists (select from {file} other where other.project_id = f.project_id and other.file_type = 1
              and other.id <> f.id and other.name ~* '[.]qg[sz]$')
order by project, f.name
limit %(limit)s

-- name: in_datasets
-- needs: file, file_version
-- Project files where only data is expected. Older releases identify such a project by its name.
select {found_files} and f.name ~* '[.]qg[sz]$'
  and (p.name = 'shared_datasets' or {project_type}::text = 'shared_datasets')
order by project, f.name
limit %(limit)s

-- name: tiny
-- needs: file, file_version
-- Rasters and databases whose newest version is too small even for its own header.
select {found_files} and v.size < 16 and lower(f.name) ~ '[.](tif|tiff|gpkg|mbtiles)$'
order by project, f.name
limit %(limit)s

-- name: miscounted
-- needs: file, file_version, project.file_storage_bytes
-- Projects whose counted bytes differ from those of their files. An upload may be in progress: new files are left out.
select p.id::text as project_id, owner.username || '/' || p.name as project, stored.bytes as stored_bytes,
       coalesce({file_storage_bytes}, 0)::bigint as counted_bytes
from (
    select f.project_id, sum(v.size)::bigint as bytes, max(v.created_at) as newest
    from {file} f join {file_version} v on v.file_id = f.id
    where f.file_type = 1
    group by f.project_id
) stored
join {project} p on p.id = stored.project_id join {user} owner on owner.id = p.owner_id
where stored.bytes <> coalesce({file_storage_bytes}, 0) and stored.newest < %(until)s
order by project
limit %(limit)s

-- name: old_versions
-- needs: file, file_version
-- The bytes of superseded versions, by account, the largest first.
select owner.username as owner, count(*) as versions, sum(v.size)::bigint as bytes
from {file} f join {file_version} v on v.file_id = f.id and v.id <> f.latest_version_id
join {project} p on p.id = f.project_id join {user} owner on owner.id = p.owner_id
where f.file_type = 1
group by owner.username
order by bytes desc, owner
limit %(limit)s

-- name: missing_attachments
-- needs: file
-- Files that applied edits announced, but that their projects lack. Devices send them after the edits; projects without
-- any row have their files elsewhere.
with newest as (
    select d.project_id, d.content -> 'new' -> 'files_sha256' as files from {delta} d
    where d.last_status = 'applied' and d.created_at > %(since)s and d.created_at < %(until)s
    order by d.created_at desc
    limit %(most)s
), sent as (
    select distinct newest.project_id, announced.name
    from newest
    cross join lateral jsonb_each_text(
        case when jsonb_typeof(newest.files) = 'object' then newest.files end) as announced(name, checksum)
    where announced.checksum is not null
), there as (
    select f.project_id, f.name from {file} f
    where f.file_type = 1 and f.project_id in (select sent.project_id from sent)
)
select owner.username || '/' || p.name as project, sent.name, 0::bigint as size_bytes
from sent
join {project} p on p.id = sent.project_id join {user} owner on owner.id = p.owner_id
where sent.project_id in (select there.project_id from there)
  and not exists (select from there where there.project_id = sent.project_id and there.name = sent.name)
order by project, sent.name
limit %(limit)s
