select c.code, max(c.start_time) as last_start, max(c.start_time) filter (where c.is_success) as last_success
from {cron_log} c
group by c.code
order by c.code
