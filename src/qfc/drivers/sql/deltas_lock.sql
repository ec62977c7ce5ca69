-- In the order of ids, so that two operators never wait for each other.
select d.id from {delta} d where d.id = any(%(ids)s::uuid[]) order by d.id for update of d
