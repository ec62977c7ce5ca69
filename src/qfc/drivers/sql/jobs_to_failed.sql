update {job} set status = 'failed', updated_at = clock_timestamp(), finished_at = clock_timestamp(),
    feedback = jsonb_build_object('error', 'Job unexpectedly terminated: its worker died.', 'error_type', 'WORKER_DIED',
                                  'error_class', '', 'error_origin', 'operator', 'error_stack', '')
where id = any(%(ids)s::uuid[])
