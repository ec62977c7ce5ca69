-- Official servers have no index on the end of a job; jobs that took longer than a week are not found here.
j.created_at >= %(since)s - interval '7 days'
