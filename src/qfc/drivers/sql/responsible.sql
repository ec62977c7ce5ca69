select u.username
from {project} p left join {organization} o on o.user_ptr_id = p.owner_id
join {user} u on u.id = coalesce(o.organization_owner_id, p.owner_id)
where p.id = %(id)s
