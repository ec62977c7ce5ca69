update {plan} set max_organization_members = -1, updated_at = now() where code = %(code)s
