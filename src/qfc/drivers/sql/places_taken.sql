-- Where nobody can be added any more: organizations and their members, private projects and the people who work at them,
-- teams and whoever owns the organization aside.
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
