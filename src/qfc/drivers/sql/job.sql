-- At most two, so that an ambiguous beginning of an id is seen.
select {job_columns}, j.output, j.feedback
from (select * from {job} where id between %(first)s and %(last)s order by id limit 2) j
join {project} p on p.id = j.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = {author}
