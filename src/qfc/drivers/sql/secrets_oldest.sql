select min(created_at) as oldest from {secret}
