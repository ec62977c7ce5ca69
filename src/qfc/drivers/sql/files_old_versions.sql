select owner.username as owner, count(*) as versions, sum(v.size)::bigint as bytes
from {file} f join {file_version} v on v.file_id = f.id and v.id <> f.latest_version_id
join {project} p on p.id = f.project_id join {user} owner on owner.id = p.owner_id
where f.file_type = 1
group by owner.username
order by bytes desc, owner
limit %(limit)s
