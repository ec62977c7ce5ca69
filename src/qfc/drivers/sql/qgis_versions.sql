select owner.username || '/' || p.name as project, p.project_details ->> 'qgis_version' as version
from (select * from {project} where project_details ? 'qgis_version' order by updated_at desc limit %(limit)s) p
join {user} owner on owner.id = p.owner_id
where p.project_details ->> 'qgis_version' <> ''
order by project
