#!/usr/bin/env python3
"""Find out why synchronisation does not complete, and repair it. Calls `qfc sync diagnose`; see --help."""

from find_qfc import call

call("sync_diagnostic.py")
