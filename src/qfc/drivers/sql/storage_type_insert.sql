-- What is added to plans, a megabyte at a time; nobody is offered it.
insert into {package_type} (code, display_name, is_public, max_quantity, min_quantity, type, unit_amount, unit_label,
                            created_at, updated_at)
values ('qfc_storage', 'Storage', false, 2000000000, 0, 'storage', %(megabyte)s, 'MB', now(), now())
