j.id::text as id, j.type, j.status, j.project_id::text as project_id, owner.username || '/' || p.name as project,
author.username as created_by, j.created_at, j.updated_at, j.started_at, {ended_at} as finished_at,
nullif(j.container_id, '') as worker_id, {attempts} as attempts, {not_before} as not_before,
{lease_expires_at} as lease_expires_at, {locked_at} as project_locked_at
