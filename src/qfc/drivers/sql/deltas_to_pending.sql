update {delta} set last_status = 'pending', last_feedback = null, updated_at = clock_timestamp()
where id = any(%(ids)s::uuid[])
