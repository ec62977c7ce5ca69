select {delta_columns}, d.content
from (select * from {delta} where id between %(first)s and %(last)s order by id limit 2) d
join {project} p on p.id = d.project_id
join {user} owner on owner.id = p.owner_id
left join {user} author on author.id = d.created_by_id
