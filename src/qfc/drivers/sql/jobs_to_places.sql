-- Workers of every release take the oldest job first.
update {job} j set created_at = chosen.place
from unnest(%(ids)s::uuid[], %(places)s::timestamptz[]) as chosen(id, place)
where j.id = chosen.id and j.status = 'pending'
