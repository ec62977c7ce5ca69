-- A file of the project got a new version since the job began, whoever sent it, or the project may have layers in a
-- database elsewhere, where nobody can see what was done.
(p.project_details is null or p.project_details::text ~* 'postgres|dbname=|service='
 or exists (select from {file_version} v join {file} f on f.id = v.file_id
            where f.project_id = j.project_id and f.file_type = 1 and v.created_at >= j.started_at))
