-- Names that some device cannot store, by the rule of every release.
select {found_files}
  and (f.name ~ '[<>:"|?*\\]' or f.name ~ '[. ](/|$)'
       or f.name ~* '(^|/)(con|prn|aux|nul|com[1-9]|lpt[1-9])([.][^/]*)?(/|$)'
       or octet_length(f.name) > 255
       and exists (select from unnest(string_to_array(f.name, '/')) as part(word) where octet_length(part.word) > 255))
order by project, f.name
limit %(limit)s
