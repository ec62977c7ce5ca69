-- Output and feedback stay until the worker writes new ones: they say what was wrong.
update {job} set status = 'pending', updated_at = clock_timestamp(), {as_new} where id = any(%(ids)s::uuid[])
