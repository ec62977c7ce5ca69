select {file_storage} as store, count(*) as projects from {project} p group by {file_storage} order by store
