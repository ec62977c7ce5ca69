p.id::text as id, p.name, owner.username as owner, {project_files} as files,
coalesce({file_storage_bytes}, 0)::bigint as size_bytes, {data_last_updated_at} as data_last_updated_at,
{data_last_packaged_at} as data_last_packaged_at, {problem} as problem, {locked_at} as locked_at,
case when p.id in (select a.project_id from {job} a where a.status in ('queued', 'started')
                    or (a.status = 'pending' and a.type = 'process_projectfile')) then 'busy'
     when {project_filename} is null or {details_missing} or {problem} is not null then 'failed' else 'ok' end as status
