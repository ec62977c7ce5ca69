"""The queue loop: claim a job, do it in a child process, commit everything that came of it in one transaction."""
