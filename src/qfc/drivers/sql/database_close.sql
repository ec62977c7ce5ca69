alter database {name} with allow_connections false
