select count(*) from {project} where created_at > %(since)s
