-- Counts are exact; percentiles are those of the newest jobs, so that a million of them cost no more than some thousands.
with counts as (
    select count(*) filter (where j.status = 'finished') as finished,
           count(*) filter (where j.status = 'failed') as failed,
           count(*) filter (where j.status = 'stopped') as stopped
    from {job} j
    where j.status in ('finished', 'failed', 'stopped') and {ended_at} >= %(since)s and {created_bound}
), newest as (
    select extract(epoch from {ended_at} - j.started_at)::float8 as run,
           extract(epoch from j.started_at - j.created_at)::float8 as wait
    from {job} j
    where j.status = 'finished' and {ended_at} >= %(since)s and {created_bound}
    order by {ended_at} desc
    limit %(sample)s
), measured as (
    select percentile_disc(array[0.5, 0.95, 1]) within group (order by run) as run,
           percentile_disc(array[0.5, 0.95, 1]) within group (order by wait) as wait,
           count(*) as sample
    from newest
)
select counts.*, measured.* from counts, measured
