-- Facts about projects, for `stack/ports/diagnosis/projects.py`.

-- name: stores_in_use
-- needs: project.file_storage
-- The number of projects by the store of their files.
select {file_storage} as store, count(*) as projects from {project} p group by {file_storage} order by store

-- name: qgis_versions
-- needs: project.project_details
-- The version of QGIS that wrote each of the most recently changed projects.
select owner.username || '/' || p.name as project, p.project_details ->> 'qgis_version' as version
from (select * from {project} where project_details ? 'qgis_version' order by updated_at desc limit %(limit)s) p
join {user} owner on owner.id = p.owner_id
where p.project_details ->> 'qgis_version' <> ''
order by project

-- name: qgis_versions_of_rows
-- needs: project.qgis_version
-- The same, where the project's own row has the version.
select owner.username || '/' || p.name as project, p.qgis_version as version
from (select * from {project} where qgis_version <> '' order by updated_at desc limit %(limit)s) p
join {user} owner on owner.id = p.owner_id
order by project

-- name: online_of_layers
-- needs: qgis_layer
-- Projects with layers in external databases or services, where layers have rows of their own.
select distinct owner.username || '/' || p.name as project
from {qgis_layer} l join {project} p on p.id = l.qgis_project_id join {user} owner on owner.id = p.owner_id
where l.provider_name ~* '^(postgres|wfs|oapif|arcgisfeatureserver|mssql|oracle|hana)$'
   or l.datasource ~* '(^| )(dbname|service|typename)='
order by project
limit %(limit)s

-- name: online
-- needs: project.project_details
-- The same, from the description in the project's own row. Valid layers may lack the name of their provider; then their
-- sources show it.
select owner.username || '/' || p.name as project
from {project} p join {user} owner on owner.id = p.owner_id
where jsonb_path_exists(p.project_details, '$.layers_by_id.* ? (
    @.provider_name like_regex "^(postgres|wfs|oapif|arcgisfeatureserver|mssql|oracle|hana)$" flag "i"
    || @.datasource like_regex "(^| )(dbname|service|typename)=" flag "i")')
order by project
limit %(limit)s
