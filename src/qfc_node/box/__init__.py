"""The box of a job: a process without secrets and without rights. No Django, nothing of the node but `gis`.

`server` is the small process that forks one child per job; `layers` is what holds a child; `job` is what it does.
"""
