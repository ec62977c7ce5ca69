"""Maintenance that runs by itself.

run.py       one run of a job: its steps, in order, and what is remembered of it
steps.py     the steps of each job: existing operations, each with its sentence
stats.py     the report of a stack's usage
schedule.py  when jobs run: by cron, or by timers of systemd
"""
