select person.username
from {user} account left join {organization} o on o.user_ptr_id = account.id
join {user} person on person.id = coalesce(o.organization_owner_id, account.id)
where upper(account.username) = upper(%(username)s)
