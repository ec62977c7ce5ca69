-- What rows tell of projects, for `stack/ports/diagnosis/projects.py`.

-- name: stores_in_use
-- needs: project.file_storage
-- How many projects have their files in which store.
select {file_storage} as store, count(*) as projects from {project} p group by {file_storage} order by store

-- name: qgis_versions
-- needs: project.project_details
-- Which version of QGIS wrote each of the most recently changed projects.
select owner.username || '/' || p.name as project, p.project_details ->> 'qgis_version' as version
from (select * from {project} where project_details ? 'qgis_version' order by updated_at desc limit %(limit)s) p
join {user} owner on owner.id = p.owner_id
where p.project_details ->> 'qgis_version' <> ''
order by project

-- name: online
-- needs: project.project_details
-- Projects with layers in databases or services elsewhere. Valid layers may come without the name of their provider;
-- their sources tell it.
select owner.username || '/' || p.name as project
from {project} p join {user} owner on owner.id = p.owner_id
where jsonb_path_exists(p.project_details, '$.layers_by_id.* ? (
    @.provider_name like_regex "^(postgres|wfs|oapif|arcgisfeatureserver|mssql|oracle|hana)$" flag "i"
    || @.datasource like_regex "(^| )(dbname|service|typename)=" flag "i")')
order by project
limit %(limit)s
