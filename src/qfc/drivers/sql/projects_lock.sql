-- As the node's API does before it gives deltas to jobs, so that no delta comes into two of them.
select p.id from {project} p
where p.id in (select j.project_id from {job} j where j.id = any(%(jobs)s::uuid[])
               union select d.project_id from {delta} d where d.id = any(%(deltas)s::uuid[]))
order by p.id
for no key update of p
