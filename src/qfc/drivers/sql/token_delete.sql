delete from {token} where key = %(key)s
