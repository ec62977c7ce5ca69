update {apply_job_delta} part set status = 'not_applied',
    feedback = jsonb_build_object('msg', 'The job was cancelled by an operator before the delta was applied.')
where part.apply_job_id = any(%(jobs)s::uuid[]) and part.status in ('pending', 'started')
