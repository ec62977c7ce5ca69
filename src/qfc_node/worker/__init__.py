"""The queue loop: claim a job, run it in a child process, commit its whole result in one transaction."""
