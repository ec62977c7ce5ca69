update {package} k set active_until = now(), updated_at = now()
where k.subscription_id = %(subscription)s and (k.active_until is null or k.active_until > now())
  and k.type_id in (select t.id from {package_type} t where t.type = 'storage')
