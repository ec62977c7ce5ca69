-- Jobs that may have changed something.
select j.id::text as id
from {job} j join {project} p on p.id = j.project_id
where j.id = any(%(ids)s::uuid[]) and {has_effect}
