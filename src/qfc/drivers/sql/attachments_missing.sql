-- Files that applied edits announced and that their projects do not have. Devices send them after the edits; projects
-- without any row have their files elsewhere.
select distinct owner.username || '/' || p.name as project, sent.name, 0::bigint as size_bytes
from (
    select d.project_id, d.content -> 'new' -> 'files_sha256' as files from {delta} d
    where d.last_status = 'applied' and d.created_at > %(since)s and d.created_at < %(until)s
    order by d.created_at desc
    limit %(most)s
) d
cross join lateral jsonb_each_text(case when jsonb_typeof(d.files) = 'object' then d.files end) as sent(name, hash)
join {project} p on p.id = d.project_id join {user} owner on owner.id = p.owner_id
where sent.hash is not null
  and exists (select from {file} f where f.project_id = d.project_id and f.file_type = 1)
  and not exists (select from {file} f where f.project_id = d.project_id and f.file_type = 1 and f.name = sent.name)
order by project, sent.name
limit %(limit)s
