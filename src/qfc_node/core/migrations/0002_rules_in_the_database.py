"""Rules that hold whoever writes: the node, the suite's SQL or a person at a psql prompt.

- `updated_at` moves with every change of a job, delta or project.
- A job that ends has `finished_at` and no lease; one that goes back to pending is as new.
- Whoever makes a job pending wakes the workers.
- Every account has a default plan to subscribe to.
"""

from django.db import migrations

TOUCH = """
create function qfc_touch() returns trigger language plpgsql as $$
begin
    new.updated_at = clock_timestamp();
    return new;
end $$;
create trigger core_delta_touch before update on core_delta for each row execute function qfc_touch();
create trigger core_project_touch before update on core_project for each row execute function qfc_touch();
"""

JOB = """
create function qfc_job_rules() returns trigger language plpgsql as $$
begin
    new.updated_at = clock_timestamp();
    if new.status in ('finished', 'failed', 'stopped') then
        new.finished_at = coalesce(new.finished_at, clock_timestamp());
        new.lease_token = null;
        new.lease_expires_at = null;
    elsif new.status = 'pending' then
        new.started_at = null;
        new.finished_at = null;
        new.docker_started_at = null;
        new.docker_finished_at = null;
        new.container_id = '';
        new.lease_token = null;
        new.lease_expires_at = null;
    end if;
    return new;
end $$;
create trigger core_job_rules before update on core_job for each row execute function qfc_job_rules();

create function qfc_job_wake() returns trigger language plpgsql as $$
begin
    perform pg_notify('qfc_jobs', '');
    return null;
end $$;
create trigger core_job_inserted after insert on core_job
    for each row when (new.status = 'pending') execute function qfc_job_wake();
create trigger core_job_changed after update of status on core_job
    for each row when (new.status is distinct from old.status) execute function qfc_job_wake();
create trigger core_project_unlocked after update of locked_at on core_project
    for each row when (new.locked_at is null and old.locked_at is not null) execute function qfc_job_wake();
"""

UNDO = """
drop trigger core_project_unlocked on core_project;
drop trigger core_job_changed on core_job;
drop trigger core_job_inserted on core_job;
drop function qfc_job_wake();
drop trigger core_job_rules on core_job;
drop function qfc_job_rules();
drop trigger core_project_touch on core_project;
drop trigger core_delta_touch on core_delta;
drop function qfc_touch();
"""

PLANS = """
insert into subscription_plan (
    code, user_type, ordering, display_name, storage_mb, storage_keep_versions, job_minutes, can_add_storage,
    can_add_job_minutes, is_external_db_supported, can_configure_repackaging_cache_expire,
    min_repackaging_cache_expire, synchronizations_per_months, is_public, is_default, is_premium,
    max_organization_members, max_premium_collaborators_per_private_project, created_at, updated_at, is_trial,
    max_trial_organizations, initial_subscription_status, is_metered, is_cancellable, is_storage_modifiable
) values
    ('community', 1, 1100, 'community', 10000, 10, 10000, false, false, true, true, interval '1 minute', 30, true,
     true, false, -1, -1, now(), now(), false, 1, 'active_paid', false, true, true),
    ('organization', 2, 1200, 'organization', 10000, 10, 10000, false, false, true, true, interval '1 minute', 30,
     true, true, false, -1, -1, now(), now(), false, 1, 'active_paid', false, true, true);
"""

ROLES = """
create view projects_with_roles_vw as
with roles (project_id, user_id, level, origin, is_incognito) as (
    select p.id, p.owner_id, 5, 'project_owner', false from core_project p
    union all
    select p.id, o.organization_owner_id, 5, 'organization_owner', false
    from core_project p join core_organization o on o.user_ptr_id = p.owner_id
    union all
    select p.id, m.member_id, 5, 'organization_admin', false
    from core_project p join core_organizationmember m on m.organization_id = p.owner_id and m.role = 'admin'
    union all
    select c.project_id, c.collaborator_id,
           case c.role when 'admin' then 5 when 'manager' then 4 when 'editor' then 3 when 'reporter' then 2 else 1 end,
           'collaborator', c.is_incognito
    from core_projectcollaborator c join core_user u on u.id = c.collaborator_id and u.type = 1
    union all
    select c.project_id, t.member_id,
           case c.role when 'admin' then 5 when 'manager' then 4 when 'editor' then 3 when 'reporter' then 2 else 1 end,
           'team_member', c.is_incognito
    from core_projectcollaborator c join core_teammember t on t.team_id = c.collaborator_id
)
select distinct on (project_id, user_id)
    project_id, user_id, level,
    case level when 5 then 'admin' when 4 then 'manager' when 3 then 'editor' when 2 then 'reporter' else 'reader' end
        as role_name,
    origin, is_incognito
from roles
order by project_id, user_id, level desc, origin = 'project_owner' desc, origin = 'organization_owner' desc,
    origin = 'organization_admin' desc, origin = 'collaborator' desc;
"""


class Migration(migrations.Migration):
    """Triggers, views and the default plans."""

    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RunSQL(TOUCH + JOB, UNDO),
        migrations.RunSQL(ROLES, "drop view projects_with_roles_vw"),
        migrations.RunSQL(PLANS, migrations.RunSQL.noop),
    ]
