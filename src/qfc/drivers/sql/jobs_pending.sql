select {job_columns}
from (select * from {job} where status = 'pending' order by created_at, id limit %(limit)s) j
join {project} p on p.id = j.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = {author}
order by j.created_at, j.id
