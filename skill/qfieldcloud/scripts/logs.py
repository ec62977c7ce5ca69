#!/usr/bin/env python3
"""The logs of all services in the order of time. Calls `qfc logs`; see --help."""

from find_qfc import call

call("logs.py")
