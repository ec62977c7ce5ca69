select {found_files} and f.name ~ '(^|/)[.][^/]'
order by project, f.name
limit %(limit)s
