update {plan} set initial_subscription_status = 'active_paid', updated_at = now() where code = %(code)s
