"""A whole server moves to another host, through sets of backups.

run.py       from one stack to another: copies ahead while people work, then a short interruption
export.py    into a folder, to be carried to a machine that this one cannot reach
bring.py     from such a folder into a stack
verify.py    compares two servers, or a server with a set
back.py      the old server takes over again
checks.py    what is refused before anything is changed
holding.py   the old server accepts no writes; it does again; finishes or undoes a move that was interrupted
copies.py    sets of the old server, and their objects on the new one
replaced.py  what the new server had before
last.py      which set of an export is the last one
proof.py     what is looked at on the new server before it counts
facts.py     what servers and sets have, and who uses them
reporting.py the report of a move
"""
