select d.id from {delta} d
where d.id in (select part.delta_id from {apply_job_delta} part where part.apply_job_id = any(%(ids)s::uuid[]))
order by d.id
for update of d
