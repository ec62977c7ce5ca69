(select count(*) from {file} f where f.project_id = p.id and f.file_type = 1)
