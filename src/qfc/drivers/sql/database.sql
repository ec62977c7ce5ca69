select current_setting('server_version') as version, pg_database_size(current_database()) as size_bytes,
       (select count(*) from pg_catalog.pg_stat_activity where datname = current_database()) as connections,
       current_setting('max_connections')::int as max_connections
