-- Never one that a job works at, nor one that was locked since it was looked at.
update {project} p set locked_at = null
where p.id = any(%(ids)s::uuid[]) and p.locked_at < %(locked_before)s
  and not exists (select from {job} j where j.project_id = p.id and j.status in ('queued', 'started'))
returning p.id::text as id
