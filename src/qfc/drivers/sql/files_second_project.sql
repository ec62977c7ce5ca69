-- Each project file of projects that have more than one.
select {found_files} and f.name ~* '[.]qg[sz]$'
  and exists (select from {file} other where other.project_id = f.project_id and other.file_type = 1
              and other.id <> f.id and other.name ~* '[.]qg[sz]$')
order by project, f.name
limit %(limit)s
