select count(*) from {delta} where created_at > %(since)s
