update {plan} set is_external_db_supported = true, updated_at = now() where code = %(code)s
