"""Hostile projects made by the tests, what they must not reach, and the processes in which they are tried."""
