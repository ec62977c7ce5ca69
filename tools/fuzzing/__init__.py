"""Fuzzing of the readers of the node with atheris."""
