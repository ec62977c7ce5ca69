-- One project of the node, moved from a restored copy of the database into the one in use.

-- name: find
-- needs: file, file_version, collaborator
-- The project with that id, or with that name of its owner and its own, and how many rows it has.
select p.id::text as id, o.username || '/' || p.name as name,
       (select count(*) from {file} f where f.project_id = p.id and f.file_type = 1) as files,
       (select count(*) from {file_version} v join {file} f on f.id = v.file_id
        where f.project_id = p.id and f.file_type = 1) as "file versions",
       (select count(*) from {delta} d where d.project_id = p.id) as edits,
       (select count(*) from {job} j where j.project_id = p.id) as jobs,
       (select count(*) from {collaborator} c where c.project_id = p.id) as collaborators
from {project} p join {user} o on o.id = p.owner_id
where p.id::text = %(wanted)s or o.username || '/' || p.name = %(wanted)s

-- name: objects
-- needs: file, file_version
-- The objects that rows of the project name.
select v.content as name from {file_version} v join {file} f on f.id = v.file_id
where f.project_id = %(id)s
union select thumbnail_uri from {project} where id = %(id)s and thumbnail_uri <> ''

-- name: columns
-- The columns of a table that have a value of their own, and whether each names an account.
select a.attname as name, exists (
    select from pg_catalog.pg_constraint k
    where k.conrelid = a.attrelid and k.contype = 'f' and k.conkey = array[a.attnum]
      and k.confrelid::regclass::text = any(%(accounts)s)) as is_account
from pg_catalog.pg_attribute a
where a.attrelid = %(table)s::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by a.attnum

-- name: accounts
-- Which accounts a column of the project's rows names.
select distinct u.id, u.username from {table} t join {user} u on u.id = t.{column} where {rows}

-- name: accounts_here
-- Those of them that exist.
select username, id from {user} where username = any(%(names)s)

-- name: hold
-- Lets nobody else write to the project until the transaction ends.
set local lock_timeout = '30s';
select from {project} where id = {id} for update

-- name: remove
-- Removes the project's rows of a table. Keys between tables are compared at the end of the transaction.
delete from {table} t where {rows}

-- name: read
-- Reads the project's rows of a table.
copy (select {values} from {table} t where {rows}) to stdout

-- name: write
-- Writes rows into a table.
copy {table} ({columns}) from stdin
