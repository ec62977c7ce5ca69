update {job} set status = %(to)s, updated_at = clock_timestamp()
where id in (select j.id from {job} j
             where j.id = any(%(ids)s::uuid[]) and j.status = any(%(allowed)s::text[]) order by j.id for update)
returning id::text as id
