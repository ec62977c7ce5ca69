-- What the newest subscription that is valid now allows, with what was added to it. A megabyte has 10^6 bytes.
(select (pl.storage_mb + coalesce((
            select sum(k.quantity * t.unit_amount) from {package} k join {package_type} t on t.id = k.type_id
            where k.subscription_id = s.id and t.type = 'storage'
              and k.active_since <= now() and (k.active_until is null or k.active_until > now())), 0)
        ) * 1000000::bigint
 from {subscription} s join {plan} pl on pl.id = s.plan_id
 where s.account_id = u.id and (s.active_since is null or s.active_since <= now())
   and (s.active_until is null or s.active_until > now())
 order by s.active_since desc nulls last, s.id desc limit 1)
