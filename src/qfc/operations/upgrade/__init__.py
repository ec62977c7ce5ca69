"""Upgrade an embedded stack to the release that is installed, with rollback.

plan.py  what would change, and what forbids it
run.py   the use case: a verified set, the database kept, the release started where no device is, the proof
gate.py  the proof
undo.py  the end of it: finished, or everything back to where it was; also after a kill
"""
