-- By the project's owner, or by the owner of the organization that owns it. The second part comes after the first.
with job as (
    insert into {job} (id, created_at, updated_at, project_id, type, status, container_id, {author_columns})
    select %(id)s::uuid, clock_timestamp(), clock_timestamp(), p.id, 'delta_apply', 'pending', '', {author_values}
    from {project} p left join {organization} o on o.user_ptr_id = p.owner_id
    where p.id = %(project_id)s
    returning id, project_id
)
insert into {apply_job} (job_ptr_id, overwrite_conflicts)
select job.id, p.overwrite_conflicts from job join {project} p on p.id = job.project_id
