insert into {apply_job_delta} (apply_job_id, delta_id, status)
select %(job_id)s::uuid, chosen.delta_id, 'pending'
from unnest(%(deltas)s::uuid[]) with ordinality as chosen(delta_id, place)
order by chosen.place
