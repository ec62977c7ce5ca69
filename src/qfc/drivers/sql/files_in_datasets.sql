-- Project files where only data are expected. Earlier releases know such a project by its name.
select {found_files} and f.name ~* '[.]qg[sz]$'
  and (p.name = 'shared_datasets' or {project_type}::text = 'shared_datasets')
order by project, f.name
limit %(limit)s
