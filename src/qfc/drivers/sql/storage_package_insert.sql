insert into {package} (active_since, quantity, type_id, subscription_id, created_at, updated_at)
select now(), %(quantity)s, t.id, %(subscription)s, now(), now()
from {package_type} t where t.type = 'storage' and t.unit_amount > 0
limit 1
