-- The newest subscription of an account that is valid now. A megabyte has 10^6 bytes.
select s.id, pl.code as plan, s.status, pl.storage_mb * 1000000::bigint as plan_bytes,
       coalesce((select sum(k.quantity * t.unit_amount) from {package} k join {package_type} t on t.id = k.type_id
                 where k.subscription_id = s.id and t.type = 'storage' and k.active_since <= now()
                   and (k.active_until is null or k.active_until > now())), 0)::bigint * 1000000 as added_bytes,
       (select t.unit_amount * 1000000::bigint from {package_type} t where t.type = 'storage' and t.unit_amount > 0
        limit 1) as unit_bytes,
       {has_external_databases} as has_external_databases
from {subscription} s join {plan} pl on pl.id = s.plan_id join {user} u on u.id = s.account_id
where u.username = %(username)s and (s.active_since is null or s.active_since <= now())
  and (s.active_until is null or s.active_until > now())
order by s.active_since desc nulls last, s.id desc
limit 1
