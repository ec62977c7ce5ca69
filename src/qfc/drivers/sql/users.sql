select u.username, u.email, case u.type when 2 then 'organization' else 'person' end as type, u.is_superuser, u.is_active,
       u.last_login, coalesce(used.bytes, 0)::bigint as storage_used_bytes, {quota} as storage_quota_bytes
from (select * from {user} where type in (1, 2) order by username limit %(limit)s) u
left join (
    select p.owner_id, sum(coalesce({file_storage_bytes}, 0)) as bytes from {project} p group by p.owner_id
) used on used.owner_id = u.id
order by u.username
