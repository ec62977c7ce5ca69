-- Users and organizations: tokens, plans, storage. A megabyte has 10^6 bytes.

-- name: users
-- Users and organizations sorted by name, with their stored bytes and their quota.
select u.username, u.email, case u.type when 2 then 'organization' else 'person' end as type,
       u.is_superuser, u.is_active, u.last_login, coalesce(used.bytes, 0)::bigint as storage_used_bytes,
       {quota} as storage_quota_bytes
from (select * from {user} where type in (1, 2) order by username limit %(limit)s) u
left join (
    select p.owner_id, sum(coalesce({file_storage_bytes}, 0)) as bytes from {project} p group by p.owner_id
) used on used.owner_id = u.id
order by u.username

-- name: responsible
-- The user who acts for an account: itself, or the owner of an organization.
select person.username
from {user} account left join {organization} o on o.user_ptr_id = account.id
join {user} person on person.id = coalesce(o.organization_owner_id, account.id)
where upper(account.username) = upper(%(username)s)

-- name: set_active
-- Allows or forbids a user to log in.
update {user} set is_active = %(active)s where upper(username) = upper(%(username)s) and type = 1 returning id

-- name: insert_token
-- needs: token
-- Creates a token of a user, with an expiry time.
insert into {token} (key, created_at, updated_at, expires_at, user_agent, client_type, user_id)
select %(key)s, now(), now(), now() + make_interval(secs => %(seconds)s), %(agent)s, 'sdk', u.id
from {user} u where u.username = %(username)s and u.is_active and u.type = 1

-- name: delete_token
-- needs: token
-- Deletes a token.
delete from {token} where key = %(key)s

-- name: end_tokens
-- needs: token
-- Ends all tokens of a user, given by id.
update {token} set expires_at = clock_timestamp() where user_id = %(user_id)s and expires_at > clock_timestamp()

-- name: end_tokens_of
-- needs: token
-- Ends all tokens of a user, given by name.
update {token} set expires_at = clock_timestamp()
where user_id = (select u.id from {user} u where u.username = %(username)s) and expires_at > clock_timestamp()

-- name: plans
-- needs: plan
-- All plans.
select pl.code, case pl.user_type when 1 then 'person' when 2 then 'organization' else 'team' end as type,
       pl.storage_mb * 1000000::bigint as storage_bytes, pl.is_default
from {plan} pl
order by pl.user_type, pl.storage_mb, pl.code

-- name: subscription
-- needs: subscription, plan, package, package_type
-- The newest subscription of an account that is valid now.
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

-- name: set_plan
-- needs: subscription, plan
-- Sets the plan of an account, and makes its subscription active.
update {subscription} s set plan_id = pl.id, status = 'active_paid', updated_at = now()
from {plan} pl, {user} u
where u.username = %(username)s and pl.code = %(code)s and pl.user_type = u.type and s.account_id = u.id
  and (s.active_since is null or s.active_since <= now()) and (s.active_until is null or s.active_until > now())

-- name: insert_storage_type
-- needs: package_type
-- The type of storage added to plans, in units of a megabyte; it is never offered to users.
insert into {package_type} (code, display_name, is_public, max_quantity, min_quantity, type, unit_amount, unit_label,
                            created_at, updated_at)
values ('qfc_storage', 'Storage', false, 2000000000, 0, 'storage', %(megabyte)s, 'MB', now(), now())

-- name: insert_storage
-- needs: package, package_type
-- Adds storage to a subscription, from now on.
insert into {package} (active_since, quantity, type_id, subscription_id, created_at, updated_at)
select now(), %(quantity)s, t.id, %(subscription)s, now(), now()
from {package_type} t where t.type = 'storage' and t.unit_amount > 0
limit 1

-- name: end_storage
-- needs: package, package_type
-- Ends all added storage of a subscription.
update {package} k set active_until = now(), updated_at = now()
where k.subscription_id = %(subscription)s and (k.active_until is null or k.active_until > now())
  and k.type_id in (select t.id from {package_type} t where t.type = 'storage')
