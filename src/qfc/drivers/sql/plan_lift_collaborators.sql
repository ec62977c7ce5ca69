update {plan} set max_premium_collaborators_per_private_project = -1, updated_at = now() where code = %(code)s
