-- Valid layers may come without the name of their provider; their sources tell it.
select owner.username || '/' || p.name as project
from {project} p join {user} owner on owner.id = p.owner_id
where jsonb_path_exists(p.project_details, '$.layers_by_id.* ? (
    @.provider_name like_regex "^(postgres|wfs|oapif|arcgisfeatureserver|mssql|oracle|hana)$" flag "i"
    || @.datasource like_regex "(^| )(dbname|service|typename)=" flag "i")')
order by project
limit %(limit)s
