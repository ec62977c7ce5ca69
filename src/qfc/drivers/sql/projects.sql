select {project_columns}
from (select * from {project} order by updated_at desc, id limit %(limit)s) p
join {user} owner on owner.id = p.owner_id
order by p.updated_at desc, p.id
