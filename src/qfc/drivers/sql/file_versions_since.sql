select count(*) from {file_version} where created_at > %(since)s
