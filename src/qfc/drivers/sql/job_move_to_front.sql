-- Workers of every release take the oldest job first.
update {job} set created_at = '2000-01-01T00:00:00Z' where id = %(id)s and status = 'pending'
