select value from {setting} where key = %(name)s
