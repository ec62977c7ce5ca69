#!/usr/bin/env python3
"""The queue, recent jobs, and failures with their causes. Calls `qfc sync …`; see --help."""

from find_qfc import call

call("sync.py")
