d.id::text as id, d.deltafile_id::text as deltafile_id, d.project_id::text as project_id,
owner.username || '/' || p.name as project, d.last_status as status, coalesce(d.content ->> 'method', '') as method,
coalesce(d.content ->> 'sourceLayerId', d.content ->> 'localLayerId', '') as layer_id,
coalesce(author.username, '') as created_by, d.created_at, d.updated_at, d.last_modified_pk as modified_pk,
d.last_feedback as feedback
