select app || '.' || name as name from django_migrations order by id
