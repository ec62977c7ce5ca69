-- Parts that statements share, and all placeholders in braces. `needs` lists the tables and columns, by our names, that
-- the database must have; of several fragments with one name, the first whose needs are met is used. A statement whose
-- needs are not met is never sent: the code checks first, and has another answer.
--
-- {job}          A table: `TABLES` in `schema.py` has its names in the releases.
-- {attempts}     A column that some releases lack: `COLUMNS` in `schema.py`. There it becomes a null of its type.
-- {as_new}       The columns to reset when a job is requeued, as far as the release has them.
-- {author_columns} and {author_values}: the one or two columns for the author of a job, and their values for a new one.
-- {name}, {to} and {hashed}: a name or a value from the code that sends the statement, quoted as such.
-- {job_columns}  A fragment of this file; it can use those above it.

-- name: ended_at
-- needs: job.lease_token
-- The end of a job `j`. The node records it for every job.
j.finished_at

-- name: ended_at
-- An official server has the end of a failed job only in its container.
case when j.status in ('finished', 'failed', 'stopped')
     then coalesce(j.finished_at, j.docker_finished_at, j.docker_started_at, j.started_at, j.created_at) end

-- name: created_bound
-- needs: job.lease_token
-- Limits a search by {ended_at} to the range of an index. The node has one on the end of a job.
true

-- name: created_bound
-- Official servers have none: jobs of more than a week are not found.
j.created_at >= %(since)s - interval '7 days'

-- name: has_file
-- needs: project.the_qgis_file_id
-- Whether a project `p` has a project file, which is a row of the table of files since v26.21.
p.the_qgis_file_id is not null

-- name: has_file
-- needs: project.the_qgis_file_name
-- Since late 2025 the project's row has its name.
p.the_qgis_file_name is not null

-- name: has_file
-- needs: project.project_filename
-- Before, under another name.
p.project_filename is not null

-- name: has_file
-- A release that stores it elsewhere: what cannot be seen does not count as missing.
true

-- name: has_effect
-- needs: file, file_version, qgis_project, qgis_layer, project.project_details
-- As below, where layers have rows of their own once the project file was read.
(case when exists (select from {qgis_project} q where q.project_id = p.id)
      then exists (select from {qgis_layer} l where l.qgis_project_id = p.id
                   and (l.provider_name ~* 'postgres' or l.datasource ~* 'dbname=|service='))
      else p.project_details is null or p.project_details::text ~* 'postgres|dbname=|service=' end
 or exists (select from {file_version} v join {file} f on f.id = v.file_id
            where f.project_id = j.project_id and f.file_type = 1 and v.created_at >= j.started_at))

-- name: has_effect
-- needs: file, file_version, project.project_details
-- Whether a job `j` of a project `p` may have changed something: a file of the project got a new version since its
-- start, from whatever source, or the project may have layers in an external database, where changes are unknown.
(p.project_details is null or p.project_details::text ~* 'postgres|dbname=|service='
 or exists (select from {file_version} v join {file} f on f.id = v.file_id
            where f.project_id = j.project_id and f.file_type = 1 and v.created_at >= j.started_at))

-- name: has_effect
-- Always true if the database cannot show it.
true

-- name: details_missing
-- needs: qgis_project, project.project_details
-- Whether a project `p` could not be described: neither its row nor the table of descriptions has one.
(p.project_details is null and not exists (select from {qgis_project} q where q.project_id = p.id))

-- name: details_missing
-- needs: project.project_details
-- Older releases have no such table.
p.project_details is null

-- name: details_missing
-- If rows have none: the result of the last job for it.
coalesce((select d.status from {job} d where d.project_id = p.id and d.type = 'process_projectfile'
          and d.status in ('finished', 'failed') order by d.created_at desc limit 1) = 'failed', false)

-- name: project_files
-- needs: file
-- The number of files of a project `p`.
(select count(*) from {file} f where f.project_id = p.id and f.file_type = 1)

-- name: project_files
-- Unknown if files have no rows.
null::bigint

-- name: quota
-- needs: subscription, plan, package, package_type
-- The quota of an account `u`: that of its newest valid subscription, with the storage added to it.
(select (pl.storage_mb + coalesce((
            select sum(k.quantity * t.unit_amount) from {package} k join {package_type} t on t.id = k.type_id
            where k.subscription_id = s.id and t.type = 'storage'
              and k.active_since <= now() and (k.active_until is null or k.active_until > now())), 0)
        ) * 1000000::bigint
 from {subscription} s join {plan} pl on pl.id = s.plan_id
 where s.account_id = u.id and (s.active_since is null or s.active_since <= now())
   and (s.active_until is null or s.active_until > now())
 order by s.active_since desc nulls last, s.id desc limit 1)

-- name: quota
-- Unknown without subscriptions.
null::bigint

-- name: job_columns
-- A job `j` of a project `p`, owned by `owner`, created by `author`, as `rows.job` reads it.
j.id::text as id, j.type, j.status, j.project_id::text as project_id, owner.username || '/' || p.name as project,
author.username as created_by, j.created_at, j.updated_at, j.started_at, {ended_at} as finished_at,
nullif(j.container_id, '') as worker_id, {attempts} as attempts, {not_before} as not_before,
{lease_expires_at} as lease_expires_at, {locked_at} as project_locked_at

-- name: delta_columns
-- An edit `d` of a project `p`, owned by `owner`, sent by `author`, as `rows.delta` reads it.
d.id::text as id, d.deltafile_id::text as deltafile_id, d.project_id::text as project_id,
owner.username || '/' || p.name as project, d.last_status as status, coalesce(d.content ->> 'method', '') as method,
coalesce(d.content ->> 'sourceLayerId', d.content ->> 'localLayerId', '') as layer_id,
coalesce(author.username, '') as created_by, d.created_at, d.updated_at, d.last_modified_pk as modified_pk,
d.last_feedback as feedback

-- name: project_columns
-- A project `p`, owned by `owner`, as `rows.project` reads it.
p.id::text as id, p.name, owner.username as owner, {project_files} as files,
coalesce({file_storage_bytes}, 0)::bigint as size_bytes, {data_last_updated_at} as data_last_updated_at,
{data_last_packaged_at} as data_last_packaged_at, {problem} as problem, {locked_at} as locked_at,
case when p.id in (select a.project_id from {job} a where a.status in ('queued', 'started')
                    or (a.status = 'pending' and a.type = 'process_projectfile')) then 'busy'
     when not {has_file} or {details_missing} or {problem} is not null then 'failed' else 'ok' end as status

-- name: found_files
-- needs: file, file_version
-- The beginning of a query for files of projects: `f` with its newest version `v`. More conditions follow.
owner.username || '/' || p.name as project, f.name, coalesce(v.size, 0) as size_bytes
from {file} f left join {file_version} v on v.id = f.latest_version_id
join {project} p on p.id = f.project_id join {user} owner on owner.id = p.owner_id
where f.file_type = 1

-- name: version_objects
-- needs: job.lease_token, file_version.content
-- The objects of versions of files: name, checksum, size, store. The node names them by their content.
select content as name, content as sha256, size, '' as store from {file_version}

-- name: version_objects
-- needs: file_version.content, file_version.sha256sum, file_version.file_storage
-- Official servers name them by path and version, in a store of their settings.
select content as name, encode(sha256sum, 'hex') as sha256, size,
       coalesce(nullif(file_storage, ''), 'default') as store from {file_version}

-- name: version_objects
-- needs: file_version.content, file_version.sha256sum, project.file_storage, file
-- Before, a project's row named the store.
select v.content as name, encode(v.sha256sum, 'hex') as sha256, v.size,
       coalesce(nullif(p.file_storage, ''), 'default') as store
from {file_version} v join {file} f on f.id = v.file_id join {project} p on p.id = f.project_id

-- name: version_objects
-- None, where files have no rows.
select null::text as name, null::text as sha256, null::bigint as size, '' as store where false

-- name: thumbnail_objects
-- needs: job.lease_token, project.thumbnail_uri
-- The pictures of projects.
select thumbnail_uri, thumbnail_uri, null::bigint, '' from {project} where thumbnail_uri <> ''

-- name: thumbnail_objects
-- needs: project.thumbnail
-- Official servers: only the path is known.
select p.thumbnail, null, null, coalesce(nullif({file_storage}, ''), 'default') from {project} p where p.thumbnail <> ''

-- name: thumbnail_objects
-- needs: project.thumbnail_uri
-- Before, under another name.
select p.thumbnail_uri, null, null, coalesce(nullif({file_storage}, ''), 'default') from {project} p where p.thumbnail_uri <> ''

-- name: thumbnail_objects
-- A release without them.
select null, null, null, null where false

-- name: avatar_objects
-- needs: job.lease_token
-- The pictures of users: the node has none.
select null, null, null, null where false

-- name: avatar_objects
-- needs: account.avatar
-- Those of official servers.
select avatar, null, null, 'default' from {account} where avatar <> ''

-- name: avatar_objects
-- needs: account.avatar_uri
-- Before, under another name.
select avatar_uri, null, null, 'default' from {account} where avatar_uri <> ''

-- name: avatar_objects
-- A release without them.
select null, null, null, null where false

-- name: deltafile_objects
-- needs: faulty_deltafile.deltafile
-- Files of edits that an official server could not read.
select deltafile, null, null, 'default' from {faulty_deltafile} where deltafile <> ''

-- name: deltafile_objects
-- A release without them.
select null, null, null, null where false

-- name: seed_objects
-- needs: project_seed.xlsform_file
-- Forms from which projects were created.
select xlsform_file, null, null, 'default' from {project_seed} where xlsform_file <> ''

-- name: seed_objects
-- A release without them.
select null, null, null, null where false

-- name: named_objects
-- Everything in the file stores that a row names.
{version_objects} union all {thumbnail_objects} union all {avatar_objects} union all {deltafile_objects}
union all {seed_objects}

-- name: newer_content
-- needs: job.lease_token
-- Where the content of a version `v` of a file `f` is, and whether edits that were applied wrote it: the node stores the
-- versions and the end of the job in one transaction.
v.content as sha256, '' as store, '' as key,
exists (select from {job} j where j.project_id = f.project_id and j.type = 'delta_apply'
        and j.xmin::text = v.xmin::text) as by_job

-- name: newer_content
-- needs: file_version.sha256sum, project.file_storage
-- Workers of official servers upload them from their container, as the author of the job, who may also send files of
-- their own meanwhile: jobs make no new files, as devices with photos do, and change neither project files nor photos.
-- A worker that was killed leaves no end of its container, and the job may be ended much later, or never: it wrote
-- nothing after the time limit that servers have by default. In doubt a person sent the version, and it is kept.
encode(v.sha256sum, 'hex') as sha256, coalesce(nullif(p.file_storage, ''), 'default') as store, v.content as key,
exists (select from {job} j where j.project_id = f.project_id and j.type = 'delta_apply' and {author} = v.uploaded_by_id
        and f.name !~* '[.]qg[sz]$|^DCIM/' and f.created_at < j.started_at and v.uploaded_at >= j.started_at
        and v.uploaded_at <= coalesce(j.docker_finished_at,
            least(j.finished_at, coalesce(j.docker_started_at, j.started_at) + interval '10 minutes'))) as by_job

-- name: newer_content
-- A release whose files nobody can find by their rows.
'' as sha256, '' as store, '' as key, false as by_job
