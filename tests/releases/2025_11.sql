-- What the releases up to late 2025 changed: projects can be locked, the project file's column has another name, and the
-- second PostGIS is gone. Settings are JSON.
insert into django_migrations (app, name, applied) values ('core', '0080_remove_geodb', '2025-11-01T00:00:00Z');
alter table core_project rename project_filename to the_qgis_file_name;
alter table core_project add locked_at timestamptz;
drop table core_geodb;
update constance_config set value = '{"__type__": "default", "__value__": 600}' where key = 'WORKER_TIMEOUT_S';
update constance_config set value = '{"__type__": "default", "__value__": "2000m"}' where key = 'WORKER_QGIS_MEMORY_LIMIT';
