select count(*) as rows from {name}
