-- As the application counts: by the name that was typed. Names that nobody has are tries of strangers.
select a.username
from {login_attempt} a
where a.attempt_time > %(since)s
  and exists (select from {user} u where upper(a.username) in (upper(u.username), upper(u.email)))
group by a.username
having sum(a.failures_since_start) >= %(limit)s
order by a.username
