-- Jobs during which a file of their project got a new version. Whoever sent it: nobody can tell that it was another one.
select j.id::text as id
from {job} j
where j.id = any(%(ids)s::uuid[])
  and exists (select from {file_version} v join {file} f on f.id = v.file_id
              where f.project_id = j.project_id and f.file_type = 1 and v.created_at >= j.started_at)
