select count(*) as superusers from {user} u where u.is_superuser and u.is_active and u.type = 1
