update {apply_job_delta} part set status = 'pending', feedback = null, modified_pk = null
from unnest(%(jobs)s::uuid[], %(deltas)s::uuid[]) as chosen(job_id, delta_id)
where part.apply_job_id = chosen.job_id and part.delta_id = chosen.delta_id
