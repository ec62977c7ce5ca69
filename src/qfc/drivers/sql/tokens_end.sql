update {token} set expires_at = clock_timestamp() where user_id = %(user_id)s and expires_at > clock_timestamp()
