update {token} set expires_at = clock_timestamp()
where user_id = (select u.id from {user} u where u.username = %(username)s) and expires_at > clock_timestamp()
