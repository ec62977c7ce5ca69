update {job} set status = 'stopped', updated_at = clock_timestamp(), finished_at = clock_timestamp(),
    feedback = jsonb_build_object('error', 'The job was cancelled by an operator.', 'error_type', 'CANCELLED',
                                  'error_class', '', 'error_origin', 'operator', 'error_stack', '')
where id = any(%(ids)s::uuid[])
