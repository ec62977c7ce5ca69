select pl.code, case pl.user_type when 1 then 'person' when 2 then 'organization' else 'team' end as type,
       pl.storage_mb * 1000000::bigint as storage_bytes, pl.is_default
from {plan} pl
order by pl.user_type, pl.storage_mb, pl.code
