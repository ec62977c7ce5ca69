-- Projects whose files are in other stores have no rows here. An upload may be under way: what is new is not judged.
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
