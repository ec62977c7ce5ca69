select {project_columns}
from {project} p
join {user} owner on owner.id = p.owner_id
where p.id = %(id)s::uuid or (upper(owner.username) = upper(%(owner)s) and p.name = %(name)s)
limit 1
