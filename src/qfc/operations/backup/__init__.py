"""Backups of a stack: sets that are complete, verified and tried.

make.py      one consistent set: the dump in one snapshot, every object that it refers to, configuration, secrets
archives.py  the parts of a set that are archives of files
verify.py    whether a set is whole
listing.py   the sets, and what they are worth
prune.py     removes sets that no rule keeps
restore.py   puts a set in the place of what is there, all or nothing
restore_project.py  puts one project of a set in its place, all or nothing
drill.py     restores a set on trial, uses it, and removes it
lost.py      edits and files that are newer than a set: counted, exported, applied again
keys.py      the operator's key and its recovery sheet
"""
