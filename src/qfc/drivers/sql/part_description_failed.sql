-- Where the project's row has no description: what the last worker that made one came to.
coalesce((select d.status from {job} d where d.project_id = p.id and d.type = 'process_projectfile'
          and d.status in ('finished', 'failed') order by d.created_at desc limit 1) = 'failed', false)
