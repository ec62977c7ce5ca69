update {user} set is_active = %(active)s where upper(username) = upper(%(username)s) and type = 1 returning id
