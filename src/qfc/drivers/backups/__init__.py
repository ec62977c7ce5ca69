"""Backups: the plain store of sets, the operator's key, and the embedded stack as source and target.

keys.py      the operator's key, in files
sealing.py   compression and encryption of streams
plain.py     the store: files in a folder or a bucket, restorable with age, zstd, tar and pg_restore
manual.py    the page in the store that says how to restore without qfc
dumps.py     reads a dump to its end
snapshot.py  a snapshot of a database of ours, and its dump
embedded.py  an embedded stack as the source of a set
restore.py   an embedded stack as the target of a restore
backups.py   all of them together
"""
