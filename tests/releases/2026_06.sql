-- What the releases up to mid 2026 changed: projects have an app of their own, and what is known of a project file a table.
insert into django_migrations (app, name, applied) values ('project', '0001_initial', '2026-06-01T00:00:00Z');
alter table core_project rename to project_project;
alter table project_project drop column project_details;
alter table project_project add project_type varchar(32) not null default 'regular';
