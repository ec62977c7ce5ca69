#!/usr/bin/env python3
"""The database: state, backup, restore, migration, psql. Calls `qfc db …`; see --help."""

from find_qfc import call

call("database.py")
