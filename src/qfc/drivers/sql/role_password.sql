alter role current_user password {hashed}
