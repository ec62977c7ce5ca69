-- Problems of users and their plans, for `stack/ports/diagnosis/accounts.py`.

-- name: superusers
-- The number of superusers who can log in.
select count(*) as superusers from {user} u where u.is_superuser and u.is_active and u.type = 1

-- name: locked_out
-- needs: login_attempt.username, login_attempt.attempt_time, login_attempt.failures_since_start
-- Users who cannot log in for a while, counted as the application does: by the typed name. Names without an account
-- are attempts of strangers.
select a.username
from {login_attempt} a
where a.attempt_time > %(since)s
  and exists (select from {user} u where upper(a.username) in (upper(u.username), upper(u.email)))
group by a.username
having sum(a.failures_since_start) >= %(limit)s
order by a.username

-- name: failed_from
-- needs: login_attempt.ip_address, login_attempt.attempt_time
-- The addresses of wrong logins.
select distinct host(a.ip_address) as address
from {login_attempt} a
where a.ip_address is not null and a.attempt_time > %(since)s
order by address
limit %(limit)s

-- name: plan_limits
-- needs: plan, subscription
-- The limits of plans, and the number of their accounts.
select pl.code, pl.is_default, {initial_status} as initial_status, pl.storage_mb * 1000000::bigint as storage_bytes,
       {has_external_databases} as has_external_databases, {max_members} as max_members,
       {max_collaborators} as max_collaborators,
       (select count(distinct s.account_id) from {subscription} s
        where s.plan_id = pl.id and (s.active_until is null or s.active_until > now())) as accounts
from {plan} pl
order by pl.code

-- name: places_taken
-- needs: plan.max_organization_members, plan.max_premium_collaborators_per_private_project
-- needs: subscription, member, collaborator
-- Organizations that cannot add members, and private projects that cannot add collaborators; teams and the owner of the
-- organization do not count.
with current as (
    select distinct on (s.account_id) s.account_id, s.plan_id from {subscription} s
    where (s.active_since is null or s.active_since <= now()) and (s.active_until is null or s.active_until > now())
    order by s.account_id, s.active_since desc nulls last, s.id desc
), taken as (
    select u.username as name, 'members' as what, count(*) as taken, {max_members} as most, pl.code as plan
    from {member} m join {user} u on u.id = m.organization_id
    join current c on c.account_id = u.id join {plan} pl on pl.id = c.plan_id
    group by u.username, {max_members}, pl.code
    union all
    select owner.username || '/' || p.name, 'collaborators', count(*), {max_collaborators}, pl.code
    from {collaborator} k join {project} p on p.id = k.project_id join {user} owner on owner.id = p.owner_id
    join {user} person on person.id = k.collaborator_id and person.type = 1
    left join {organization} o on o.user_ptr_id = p.owner_id
    join current c on c.account_id = p.owner_id join {plan} pl on pl.id = c.plan_id
    where not p.is_public and not k.is_incognito and k.collaborator_id is distinct from o.organization_owner_id
    group by owner.username, p.name, {max_collaborators}, pl.code
)
select name, what, taken, most, plan from taken where most >= 0 and taken >= most order by name, what limit %(limit)s

-- name: make_plan_active
-- needs: plan.initial_subscription_status
-- Makes new subscriptions to a plan active at once.
update {plan} set initial_subscription_status = 'active_paid', updated_at = now() where code = %(code)s

-- name: allow_databases
-- needs: plan.is_external_db_supported
-- Allows projects with external databases in a plan.
update {plan} set is_external_db_supported = true, updated_at = now() where code = %(code)s

-- name: lift_members
-- needs: plan.max_organization_members
-- Allows organizations with a plan any number of members.
update {plan} set max_organization_members = -1, updated_at = now() where code = %(code)s

-- name: lift_collaborators
-- needs: plan.max_premium_collaborators_per_private_project
-- Allows private projects with a plan any number of collaborators.
update {plan} set max_premium_collaborators_per_private_project = -1, updated_at = now() where code = %(code)s
