insert into {token} (key, created_at, updated_at, expires_at, user_agent, client_type, user_id)
select %(key)s, now(), now(), now() + make_interval(secs => %(seconds)s), %(agent)s, 'sdk', u.id
from {user} u where u.username = %(username)s and u.is_active and u.type = 1
