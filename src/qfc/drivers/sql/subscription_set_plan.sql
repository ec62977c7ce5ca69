update {subscription} s set plan_id = pl.id, status = 'active_paid', updated_at = now()
from {plan} pl, {user} u
where u.username = %(username)s and pl.code = %(code)s and pl.user_type = u.type and s.account_id = u.id
  and (s.active_since is null or s.active_since <= now()) and (s.active_until is null or s.active_until > now())
