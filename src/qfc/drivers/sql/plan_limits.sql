select pl.code, pl.is_default, {initial_status} as initial_status, pl.storage_mb * 1000000::bigint as storage_bytes,
       {has_external_databases} as has_external_databases, {max_members} as max_members,
       {max_collaborators} as max_collaborators,
       (select count(distinct s.account_id) from {subscription} s
        where s.plan_id = pl.id and (s.active_until is null or s.active_until > now())) as accounts
from {plan} pl
order by pl.code
