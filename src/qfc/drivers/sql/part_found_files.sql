owner.username || '/' || p.name as project, f.name, coalesce(v.size, 0) as size_bytes
from {file} f left join {file_version} v on v.id = f.latest_version_id
join {project} p on p.id = f.project_id join {user} owner on owner.id = p.owner_id
where f.file_type = 1
