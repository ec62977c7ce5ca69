"""Honest twins of the ports, in memory: held to the same contract tests as the real drivers."""
