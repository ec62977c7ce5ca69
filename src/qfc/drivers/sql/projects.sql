-- Projects, and their recent changes.

-- name: newest
-- Projects, the most recently changed first.
select {project_columns}
from (select * from {project} order by updated_at desc, id limit %(limit)s) p
join {user} owner on owner.id = p.owner_id
order by p.updated_at desc, p.id

-- name: by_name
-- One project, by its id or by owner and name.
select {project_columns}
from {project} p
join {user} owner on owner.id = p.owner_id
where p.id = %(id)s::uuid or (upper(owner.username) = upper(%(owner)s) and p.name = %(name)s)
limit 1

-- name: responsible
-- The user who may do anything with a project: its owner, or that of the owning organization.
select u.username
from {project} p left join {organization} o on o.user_ptr_id = p.owner_id
join {user} u on u.id = coalesce(o.organization_owner_id, p.owner_id)
where p.id = %(id)s

-- name: stored_bytes
-- The bytes of all versions of all files, as the application counts them.
select coalesce(sum({file_storage_bytes}), 0)::bigint as bytes from {project} p

-- name: projects_since
-- The number of projects created since a time.
select count(*) from {project} where created_at > %(since)s

-- name: deltas_since
-- The number of edits that have arrived since a time.
select count(*) from {delta} where created_at > %(since)s

-- name: file_versions_since
-- needs: file_version
-- The number of file versions stored since a time.
select count(*) from {file_version} where created_at > %(since)s
