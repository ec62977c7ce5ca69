-- Files that applied edits announced and that their projects do not have. Devices send them after the edits; projects
-- without any row have their files elsewhere.
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
