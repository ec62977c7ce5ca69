"""A load test of a stack: people in the field, simulated, against the real API.

agents.py      one person with a phone
projects.py    the projects they work on: created, and removed on every way out
run.py         the use case: one number of workers after the other, beside what the simulation says
"""
