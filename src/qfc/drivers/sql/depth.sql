-- All four figures come from one pass over the index (status, created_at).
select count(*) filter (where j.status = 'pending') as pending,
       count(*) filter (where j.status = 'queued') as queued,
       count(*) filter (where j.status = 'started') as started,
       coalesce(greatest(extract(epoch from
           clock_timestamp() - min(j.created_at) filter (where j.status = 'pending')), 0), 0)::float8
           as oldest_pending_s
from {job} j
where j.status in ('pending', 'queued', 'started')
